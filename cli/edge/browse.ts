import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkConfig } from '@nhip/core/process/config';
import { ConfigError } from '@nhip/core/process/errors';
import { type OpcuaConfig, opcuaConfig } from '@nhip/edge-agent/drivers/opcua/config';
import { type Command, commonFlags, type Input } from '../arguments.ts';
import { dataFolder } from '../folders.ts';
import { goOnAsOwnerOf } from './as-owner.ts';
import { configFile, readConnections } from './edge-config.ts';
import { edgeProgram } from './program.ts';
import { parseTarget } from './target.ts';

const source = `${edgeProgram} browse`;
const limits = { maxNodes: 5000, maxDepth: 10 };

export const browse: Command = {
  name: 'edge browse',
  usage: 'opc.tcp://HOST:PORT | CONNECTION --config FILE',
  summary:
    'Lists the variables of an OPC UA server as tags want them: without security and without any configuration, or with the security and login of a connection of the configuration.',
  flags: {
    config: commonFlags.config,
    data: commonFlags.data,
    tags: { summary: 'Propose tags, as YAML for a device' },
    json: { summary: 'One JSON array' },
  },
  run: async (input) => {
    if (input.text('config') !== undefined) {
      const { config, stateDir } = configured(input);
      goOnAsOwnerOf(stateDir);
      return browseWith(config, stateDir, input);
    }
    const config = unconfigured(input.positionals[0]);
    // The library wants a key of its own even without security; this one is thrown away.
    const stateDir = mkdtempSync(join(tmpdir(), 'nhip-browse-'));
    try {
      return await browseWith(config, stateDir, input);
    } finally {
      rmSync(stateDir, { recursive: true, force: true });
    }
  },
};

/** A connection of the configuration, with the certificates that the agent keeps for it. */
function configured(input: Input): { readonly config: OpcuaConfig; readonly stateDir: string } {
  const [id] = input.positionals;
  const { config, connections } = readConnections(configFile(input));
  const opcua = connections.filter(({ plugin }) => plugin.name === 'opcua');
  const found = opcua.find((connection) => connection.config.id === id);
  if (found === undefined) {
    const names = opcua.map((connection) => connection.config.id).join(', ') || 'none';
    throw new ConfigError(source, [`"${id ?? ''}" is not an opcua connection of the configuration; there are: ${names}`]);
  }
  return { config: opcuaConfig.parse(found.config), stateDir: join(dataFolder(input.text('data')).edge(config.edge), 'drivers') };
}

function unconfigured(text: string | undefined): OpcuaConfig {
  const target = parseTarget(text, source);
  if (target.kind !== 'opcua') {
    throw new ConfigError(source, [`${text} is Modbus, which has nothing to browse: ${edgeProgram} scan --registers finds registers`]);
  }
  const devices = [{ id: 'browse', tags: [{ metric: 'unused', node: 'i=2258', dataType: 'DateTime' }] }];
  return checkConfig(opcuaConfig, { id: 'browse', driver: 'opcua', endpoint: target.endpoint, securityMode: 'None', devices }, source);
}

async function browseWith(config: OpcuaConfig, stateDir: string, input: Input): Promise<number> {
  // Loads the OPC UA library, which the rest does without.
  const { browseServer } = await import('@nhip/edge-agent/drivers/opcua/browse');
  const nodes = await browseServer(config, stateDir, limits);
  if (input.isSet('json')) process.stdout.write(`${JSON.stringify(nodes)}\n`);
  else if (input.isSet('tags')) {
    const { proposeTags } = await import('@nhip/edge-agent/drivers/opcua/tag-proposal');
    process.stdout.write(`${proposeTags(nodes)}\n`);
  } else {
    for (const { path, node, nodeClass, dataType, value, isWritable, hasHistory } of nodes) {
      const marks = `${isWritable ? '  writable' : ''}${hasHistory ? '  history' : ''}`;
      if (nodeClass === 'Variable') process.stdout.write(`${path}\n    ${node}  ${dataType ?? '?'}  ${value ?? '–'}${marks}\n`);
    }
    process.stdout.write(`${nodes.length} nodes${nodes.length === limits.maxNodes ? ' (there are more)' : ''}\n`);
  }
  return 0;
}
