import { generateKeyPairSync } from 'node:crypto';
import { ConfigError } from '@nhip/core/process/errors';
import { silentLog } from '@nhip/core/process/log';
import { createNodeClock } from '@nhip/core/process/node-clock';
import { createSimDisk } from '@nhip/core/process/simulation/sim-disk';
import type { EdgeConfiguration, SignedConfig } from '@nhip/core/wire/edge-control';
import { beforeEach, describe, expect, it } from 'vitest';
import { type ConfigKeeper, openConfigKeeper } from './config-keeper.ts';
import { readKey, signConfig } from './signed-config.ts';

const pair = () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return { key: publicKey, secret: privateKey };
};
const operator = pair();
const stranger = pair();

let disk: ReturnType<ReturnType<typeof createSimDisk>['boot']>;
let inUse: string[];
/** A configuration is its text here; one with `bad` in it cannot be used, one with `fails` cannot be applied. */
function check(text: string): string {
  if (text.includes('bad')) throw new ConfigError('test', [`${text} is bad`]);
  return text;
}

function open(file: string): Promise<ConfigKeeper<string>> {
  return openConfigKeeper(file, {
    disk,
    clock: createNodeClock(),
    log: silentLog(),
    edge: 'g/e',
    key: operator.key,
    parse: check,
    merge: (pushed, own) => check(`${own}+${pushed}`),
    apply: async (config) => {
      if (config.includes('fails')) throw new ConfigError('test', ['it fails']);
      inUse.push(config);
    },
  });
}

const signed = (version: number, config = `v${version}`, by = operator, edge = 'g/e'): SignedConfig =>
  signConfig({ edge, version, config }, by.secret);
const push = (keeper: ConfigKeeper<string>, config: SignedConfig): Promise<void> => keeper.take(JSON.stringify(config));
const told = (keeper: ConfigKeeper<string>): EdgeConfiguration => JSON.parse(keeper.text()) as EdgeConfiguration;

beforeEach(() => {
  disk = createSimDisk().boot();
  inUse = [];
});

describe('a pushed configuration', () => {
  it('is in use, is told, and is still in use after a restart', async () => {
    const keeper = await open('file');
    expect(keeper.first).toBe('file');
    expect(told(keeper)).toMatchObject({ source: 'file', version: 0, last: null });
    await push(keeper, signed(3));
    expect(inUse).toEqual(['file+v3']);
    expect(told(keeper)).toMatchObject({ source: 'pushed', version: 3, last: { version: 3, outcome: 'applied', reason: null } });
    const again = await open('file');
    expect(again.first).toBe('file+v3');
    expect(told(again)).toMatchObject({ source: 'pushed', version: 3, sha256: told(keeper).sha256, last: null });
  });

  it.each([
    ['signed by another', signed(2, 'v2', stranger), 'signature'],
    ['changed after it was signed', { ...signed(2), config: 'v2 and more' }, 'signature'],
    ['with another version than was signed', { ...signed(1), version: 9 }, 'signature'],
    ['for another edge', signed(2, 'v2', operator, 'g/other'), 'g/other'],
    ['of another edge, renamed', { ...signed(2, 'v2', operator, 'g/other'), edge: 'g/e' }, 'signature'],
    ['of the version that is in use', signed(1, 'another'), 'not above 1'],
    ['that cannot be used', signed(2, 'bad'), 'bad'],
    ['that cannot be applied', signed(2, 'fails'), 'it fails'],
    // Both have the same bytes in UTF-8.
    ['with half a character in the place of U+FFFD', { ...signed(2, 'v2 \ufffd'), config: 'v2 \ud800' }, 'half a character'],
    // Looked at first: whoever heard an old one must not make the gateway read it again and again.
    ['of an old version that cannot be used', signed(1, 'bad'), 'not above 1'],
    ['with a signature that is none', { ...signed(2), signature: '???' }, 'signature'],
    ['that is no such thing', { hello: 1 } as unknown as SignedConfig, 'edge'],
  ])('is refused when it is one %s, and told why; the old one goes on', async (_, config, reason) => {
    const keeper = await open('file');
    await push(keeper, signed(1));
    await push(keeper, config);
    expect(inUse).toEqual(['file+v1']);
    const now = told(keeper);
    expect(now).toMatchObject({ source: 'pushed', last: { outcome: 'refused', reason: expect.stringContaining(reason) } });
    expect((await open('file')).first).toBe('file+v1');
  });

  it('is not taken again when it was in use before, also after a restart', async () => {
    const keeper = await open('file');
    for (const version of [5, 6]) await push(keeper, signed(version));
    const again = await open('file');
    await push(again, signed(5));
    await push(again, signed(6));
    expect(inUse).toEqual(['file+v5', 'file+v6']);
    expect(told(again)).toMatchObject({ version: 6, last: { outcome: 'refused' } });
  });

  it('gives way to a file that was changed later, for good; its version stays used', async () => {
    const keeper = await open('file');
    await push(keeper, signed(1));
    await keeper.fileChanged('new');
    expect(inUse).toEqual(['file+v1', 'new']);
    expect(told(keeper)).toMatchObject({ source: 'file', version: 1 });
    const again = await open('new');
    expect(again.first).toBe('new');
    await push(again, signed(1));
    await push(again, signed(2));
    expect(inUse.slice(2)).toEqual(['new+v2']);
  });

  it('gives way to a file that was changed while the agent did not run', async () => {
    await push(await open('file'), signed(1));
    expect((await open('changed')).first).toBe('changed');
    expect((await open('file')).first).toBe('file');
  });

  it('goes on when the file is read again and is the same, or cannot be used', async () => {
    const keeper = await open('file');
    await push(keeper, signed(1));
    await keeper.fileChanged('file');
    await expect(keeper.fileChanged('bad')).rejects.toThrow('bad');
    expect(inUse).toEqual(['file+v1', 'file+v1']);
    expect(told(keeper)).toMatchObject({ source: 'pushed', version: 1 });
  });

  it('is left aside when what is kept of it is damaged or was tampered with', async () => {
    await push(await open('file'), signed(1));
    const { readSmallFile, replaceSmallFile } = await import('@nhip/core/process/small-file');
    const kept = new TextDecoder().decode(await readSmallFile(disk, 'remote', 'pushed-config.json'));
    const write = (text: string) => replaceSmallFile(disk, 'remote', 'pushed-config.json', new TextEncoder().encode(text));
    await write(kept.replace('"config":"v1"', '"config":"v1 and more"'));
    expect((await open('file')).first).toBe('file');
    await write('{');
    expect((await open('file')).first).toBe('file');
  });

  it('waits for the one before it', async () => {
    const keeper = await open('file');
    await Promise.all([push(keeper, signed(1)), keeper.fileChanged('new'), push(keeper, signed(2))]);
    expect(inUse).toEqual(['file+v1', 'new', 'new+v2']);
  });
});

describe('a key', () => {
  it('is an Ed25519 key of the right kind, and is not repeated in the error', () => {
    const pem = operator.secret.export({ type: 'pkcs8', format: 'pem' }).toString();
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'pem' }).toString();
    for (const wrong of [pem, other, 'hello', '']) expect(() => readKey(wrong, 'public', 'key')).toThrow(/is no public Ed25519 key/);
    expect(() => readKey(pem, 'public', 'key')).not.toThrow(pem.split('\n')[1]);
    expect(readKey(pem, 'private', 'key').type).toBe('private');
  });
});
