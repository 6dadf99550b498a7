import { generateKeyPairSync } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseYaml, readConfigText } from '@nhip/core/process/config';
import { ConfigError } from '@nhip/core/process/errors';
import type { PushOutcome } from '@nhip/core/wire/edge-control';
import { isId } from '@nhip/core/wire/topic';
import { readKey, readSignedConfig, signConfig } from '@nhip/edge-agent/remote/signed-config';
import { z } from 'zod';
import { type Command, commonFlags, type Input } from '../arguments.ts';
import { dataFolder } from '../folders.ts';
import { findServer, type ServerClient, serverFlags } from '../server-client.ts';
import { edgeProgram } from './program.ts';

const source = `${edgeProgram} config`;
const answerWithinMs = 20_000;

export const config: Command = {
  name: 'edge config',
  usage: 'keygen KEYFILE | sign EDGE.YAML --key KEYFILE --out FILE | push FILE',
  summary:
    'Connections for an edge agent through the server: keygen makes a key pair (the .pub goes to the gateway as remote.configKeyFile, the other stays with you), sign signs an edge configuration, push sends it and says what the edge made of it.',
  flags: {
    key: { summary: 'sign: your private key', value: 'KEYFILE' },
    out: { summary: 'sign: where to write the signed configuration', value: 'FILE' },
    edge: { summary: 'sign: for which agent, when the YAML has no group and edge', value: 'GROUP/EDGE' },
    number: { summary: 'sign: version, above every one before (default: the time in seconds)', value: 'N' },
    data: commonFlags.data,
    ...serverFlags,
    json: { summary: 'The answer as JSON' },
  },
  run: async (input) => {
    const [action, file] = input.positionals;
    if (action !== 'keygen' && action !== 'sign' && action !== 'push')
      throw new ConfigError(source, [`${action === undefined ? '' : `"${action}" is not an action; `}say keygen, sign or push`]);
    if (file === undefined) throw new ConfigError(source, [`say which file: ${source} ${action} FILE`]);
    const say = (value: unknown, text: string): void => {
      process.stdout.write(input.isSet('json') ? `${JSON.stringify(value)}\n` : `${text}\n`);
    };
    if (action === 'keygen') return keygen(file, say);
    return action === 'sign' ? sign(file, input, say) : push(file, input, say);
  },
};

type Say = (value: unknown, text: string) => void;

function keygen(file: string, say: Say): number {
  const publicFile = `${file}.pub`;
  const taken = [file, publicFile].filter((name) => existsSync(name));
  if (taken.length > 0) throw new ConfigError(source, [`${taken.join(' and ')} is there already: a lost key cannot be made again`]);
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600, flag: 'wx' });
  writeFileSync(publicFile, publicKey.export({ type: 'spki', format: 'pem' }), { mode: 0o644, flag: 'wx' });
  say(
    { privateFile: file, publicFile },
    `${file}      keep it with you, not on the server: who has it can reconfigure the edge agents\n${publicFile}  goes to the gateway, as remote.configKeyFile`,
  );
  return 0;
}

function sign(file: string, input: Input, say: Say): number {
  const [keyFile, out] = [input.text('key'), input.text('out')];
  if (keyFile === undefined || out === undefined) throw new ConfigError(source, ['say --key KEYFILE and --out FILE']);
  const text = readConfigText(file);
  const edge = input.text('edge') ?? edgeIn(text, file);
  const [group = '', id = '', ...rest] = edge.split('/');
  if (!isId(group) || !isId(id) || rest.length > 0) throw new ConfigError(source, [`--edge: "${edge}" is not <group>/<edge>`]);
  const version = Number(input.text('number') ?? Math.floor(Date.now() / 1000));
  if (!Number.isSafeInteger(version) || version < 1) throw new ConfigError(source, ['--number: it is a whole number above 0']);
  const signed = JSON.stringify(signConfig({ edge, version, config: text }, readKey(readConfigText(keyFile), 'private', keyFile)));
  readSignedConfig(signed, file);
  writeFileSync(out, `${signed}\n`);
  say({ edge, version, file: out }, `${out}: version ${version} for ${edge}`);
  return 0;
}

/** `<group>/<edge>` of an edge's configuration; what stands in its environment variables does not matter here. */
function edgeIn(text: string, file: string): string {
  const anything = new Proxy({}, { get: () => '' });
  const { group, edge } = z.looseObject({ group: z.unknown(), edge: z.unknown() }).parse(parseYaml(text, file, anything));
  if (typeof group === 'string' && typeof edge === 'string') return `${group}/${edge}`;
  throw new ConfigError(file, ['has no group and edge: say --edge GROUP/EDGE']);
}

const outcome = z.object({
  version: z.number().nullable(),
  outcome: z.enum(['applied', 'refused']),
  reason: z.string().nullable(),
  atMs: z.number(),
}) satisfies z.ZodType<PushOutcome>;
const standing = z.object({ version: z.number(), last: outcome.nullable() });

async function push(file: string, input: Input, say: Say): Promise<number> {
  const signed = readSignedConfig(readConfigText(file), file);
  const server = findServer(input, dataFolder(input.text('data')).server, process.env);
  if (server === undefined) throw new ConfigError(source, ['no server runs on this data folder: say --url http://HOST:PORT']);
  const path = `/api/v1/edges/${signed.edge}/config`;
  const before = await server.get(path, standing);
  await server.post(path, signed, z.object({ sent: z.literal(true) }));
  const answer = await answerOf(server, path, before.last);
  const name = `version ${signed.version} for ${signed.edge}`;
  if (answer === undefined)
    say({ outcome: 'unknown' }, `${name}: no answer within ${answerWithinMs / 1000} s; GET ${path} has it when it comes`);
  else say(answer, answer.outcome === 'applied' ? `${name} is in use` : `${name} is refused, the old one goes on: ${answer.reason}`);
  return answer?.outcome === 'applied' ? 0 : 1;
}

/** The next thing that the edge says of a push. */
async function answerOf(server: ServerClient, path: string, before: PushOutcome | null): Promise<PushOutcome | undefined> {
  const untilMs = performance.now() + answerWithinMs;
  while (performance.now() < untilMs) {
    await sleep(300);
    const { last } = await server.get(path, standing);
    if (last !== null && last.atMs !== before?.atMs) return last;
  }
  return undefined;
}
