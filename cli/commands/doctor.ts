import { readFileSync } from 'node:fs';
import { loadConfig } from '@nhip/core/process/config';
import { ConfigError } from '@nhip/core/process/errors';
import { createNodeClock } from '@nhip/core/process/node-clock';
import { agentConfig } from '@nhip/edge-agent/config';
import { parse } from 'yaml';
import { type Command, commonFlags, type Input, listenFlags } from '../arguments.ts';
import { checkEdge, edgeConfigFindings } from '../doctor/edge-checks.ts';
import { type Finding, ok, wrong } from '../doctor/finding.ts';
import { checkServer } from '../doctor/server-checks.ts';
import { dataFolder } from '../folders.ts';
import { readLocalAccess } from '../local-access.ts';
import { findServer, serverFlags } from '../server-client.ts';
import { serverSetup } from '../server-config.ts';

const marks = { ok: '✓', note: '·', wrong: '✗' } as const;

export const doctor: Command = {
  name: 'doctor',
  summary:
    'Looks at clock, disk, ports, certificates, permissions, versions, lag and credentials, says in plain words what is wrong and what to do. With the --config of an edge agent: broker, login, machines, outbox. Works while everything runs; changes nothing. Exit code 1: something is wrong.',
  flags: {
    config: commonFlags.config,
    data: commonFlags.data,
    ...listenFlags,
    plant: { summary: 'Plant model of the server', value: 'FILE' },
    ...serverFlags,
    json: { summary: 'The findings as one line of JSON' },
  },
  async run(input) {
    const findings = await examine(input);
    const isFine = findings.every(({ state }) => state !== 'wrong');
    if (input.isSet('json')) process.stdout.write(`${JSON.stringify({ ok: isFine, findings })}\n`);
    else {
      for (const finding of findings) process.stdout.write(text(finding));
      const count = findings.filter(({ state }) => state === 'wrong').length;
      process.stdout.write(isFine ? '\nNothing is wrong.\n' : `\n${count} ${count === 1 ? 'thing is' : 'things are'} wrong.\n`);
    }
    return isFine ? 0 : 1;
  },
};

async function examine(input: Input): Promise<readonly Finding[]> {
  const file = input.text('config');
  const { now } = createNodeClock();
  if (file !== undefined && isEdgeConfig(file)) {
    const config = attempt(() => loadConfig(agentConfig, file, process.env), file);
    if (Array.isArray(config)) return config;
    const about = edgeConfigFindings(config, file);
    if (about.some(({ state }) => state === 'wrong')) return about;
    const dataDir = dataFolder(input.text('data')).edge(config.edge);
    return [...about, ...(await checkEdge({ config, file, dataDir, url: input.text('url'), now }))];
  }
  const setup = attempt(() => serverSetup(input, process.env), file ?? 'the configuration');
  if (Array.isArray(setup)) return setup;
  const { config, folder } = setup;
  const server = findServer(input, folder.server, process.env);
  const serverPid = input.text('url') === undefined ? readLocalAccess(folder.server)?.pid : undefined;
  const about = file === undefined ? [] : [ok('configuration', `${file} is sound.`)];
  return [...about, ...(await checkServer({ config, folder, server, serverPid, now }))];
}

/** The value, or its problems as findings. */
function attempt<Value extends object>(load: () => Value, source: string): Value | Finding[] {
  try {
    return load();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map((problem) =>
      wrong('configuration', `${source}: ${problem}.`, 'Mend it; docs/reference/configuration.md has every key.'),
    );
  }
}

/** An edge agent's configuration names its edge, a server's has no such key. What cannot be read is told by the loader. */
function isEdgeConfig(file: string): boolean {
  try {
    const value: unknown = parse(readFileSync(file, 'utf8'));
    return typeof value === 'object' && value !== null && 'edge' in value;
  } catch {
    return false;
  }
}

function text({ check, state, says, todo }: Finding): string {
  return `${marks[state]} ${check.padEnd(14)}${says}\n${todo === undefined ? '' : `${' '.repeat(16)}→ ${todo}\n`}`;
}
