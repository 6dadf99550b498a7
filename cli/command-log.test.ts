import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSegmentLog } from '@nhip/core/log/segment-log';
import { silentLog } from '@nhip/core/process/log';
import { createNodeEnv } from '@nhip/core/process/node-env';
import { encodeLogMessage } from '@nhip/core/telemetry/log-record';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../test/harness/until.ts';
import { followCommands, openCommandLog } from './command-log.ts';

const log = silentLog();
let folder: string;
const sent: string[] = [];
const send = (group: string, edge: string, payload: Uint8Array): void => void sent.push(`${group}/${edge} ${Buffer.from(payload)}`);
const fail = (error: Error): never => {
  throw error;
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nhip-commands-'));
  sent.length = 0;
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('commands from ingest to the broker', () => {
  it('arrive in their order, from when the broker looks on, also when it looked before ingest was there', async () => {
    const follower = followCommands(createNodeEnv(folder), log, send);
    await follower.start();
    const commands = await openCommandLog(createNodeEnv(folder), log, fail);
    await until('a command arrives', () => {
      commands.send('g', 'e', Buffer.from('again'));
      return sent.length > 0;
    });
    commands.send('g', 'f', Buffer.from('last'));
    await until('the last one arrives', () => sent.at(-1) === 'g/f last');
    await follower.stop();
    const late = followCommands(createNodeEnv(folder), log, send);
    sent.length = 0;
    await late.start();
    await until('a new one arrives', () => {
      commands.send('g', 'e', Buffer.from('new'));
      return sent.length > 0;
    });
    expect(new Set(sent)).toEqual(new Set(['g/e new']));
    await late.stop();
    await commands.close();
  });

  it('are nothing but fresh commands to edge nodes', async () => {
    const env = createNodeEnv(folder);
    const commands = await openSegmentLog(env, 'commands', { maxBytes: 4_194_304, readers: [], log });
    const follower = followCommands(createNodeEnv(folder), log, send);
    await follower.start();
    const append = (topic: string, receivedMs: number, text: string) =>
      commands.append(encodeLogMessage({ receivedMs, sender: '', topic, payload: Buffer.from(text) }));
    await until('a command arrives', async () => {
      await append('spBv1.0/g/NCMD/e', Date.now() - 60_000, 'old');
      await append('spBv1.0/g/DCMD/e/d', Date.now(), 'to a device');
      await append('spBv1.0/g/NDATA/e', Date.now(), 'data');
      await append('spBv1.0/g/NCMD/e', Date.now(), 'fresh');
      return sent.length > 0;
    });
    expect(new Set(sent)).toEqual(new Set(['g/e fresh']));
    await follower.stop();
    await commands.close();
  });
});
