import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dataType } from '@nhip/core/wire/sparkplug/datatype';
import { encodePayload } from '@nhip/core/wire/sparkplug/encode';
import type { Metric } from '@nhip/core/wire/sparkplug/payload';
import { connectAsync, type MqttClient } from 'mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Process, runNhip } from '../harness/nhip.ts';
import { addDevice, type DataFolder, makeDataFolder, prepareEdge, startServer } from '../harness/plant.ts';
import { machineConnection, type SettablePlc, startSettablePlc } from '../harness/settable-plc.ts';
import { until } from '../harness/until.ts';

let data: DataFolder;
let server: Process;
let http = 0;
let mqtt = 0;

beforeAll(async () => {
  data = makeDataFolder();
  server = startServer(data);
  ({ http = 0, mqtt = 0 } = await server.ready);
});
afterAll(async () => {
  await server?.stop();
  data.remove();
});

/** A command on the data folder; its JSON answer, a line each. */
async function json<Answer>(...args: readonly string[]): Promise<readonly Answer[]> {
  const { stdout } = await runNhip([...args, '--data', data.path, '--json']);
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Answer);
}

async function run(...args: readonly string[]) {
  return runNhip([...args, '--data', data.path]);
}

async function values(machine: string, metric: string, fromMs: number, toMs: number): Promise<readonly unknown[]> {
  const query = new URLSearchParams({ machine, metric, from: String(fromMs), to: String(toMs) });
  const response = await fetch(`http://127.0.0.1:${http}/api/v1/history?${query}`);
  return response.ok ? ((await response.json()) as { v: unknown[] }).v : [];
}

interface Letter {
  readonly sourceIndex: number;
  readonly reason: string;
  readonly samples: number;
  readonly edge: string;
}

interface Replayed {
  readonly replayed: number;
  readonly samples: number;
  readonly stored: number;
}

describe('dead letters', () => {
  let client: MqttClient;
  beforeAll(async () => {
    const { username, password } = await addDevice(data, 'g/old');
    client = await connectAsync(`mqtt://127.0.0.1:${mqtt}`, { username, password });
  });
  afterAll(() => client.endAsync());

  const sparkplug = (type: string, seq: number, metrics: readonly Metric[]) =>
    client.publishAsync(
      `spBv1.0/g/${type}/old${type.startsWith('D') ? '/oven' : ''}`,
      Buffer.from(encodePayload({ timestampMs: Date.now(), seq, metrics })),
      {
        qos: 1,
      },
    );

  it('of data without a birth are stored, once, when the birth is there', async () => {
    const fromMs = Date.now();
    for (const value of [181, 182])
      await sparkplug('DDATA', value - 180, [{ alias: 7, timestampMs: Date.now(), dataType: dataType.Double, value }]);
    const letters = await until('both are dead letters', async () => {
      const list = await json<Letter>('dlq', 'list', '--reason', 'beforeBirth');
      return list.length === 2 && list;
    });
    expect(letters[0]).toMatchObject({ reason: 'beforeBirth', samples: 1, edge: 'g/old' });
    const [first] = letters;
    const shown = await run('dlq', 'show', String(first?.sourceIndex));
    expect(shown).toMatchObject({ code: 0, stdout: expect.stringContaining('alias 7 = 181') });
    expect(await json('dlq', 'list', '--summary', '--edge', 'g/old')).toEqual([
      [{ reason: 'beforeBirth', edge: 'g/old', letters: 2, samples: 2, last: expect.any(String) }],
    ]);
    expect(await json('dlq', 'list', '--edge', 'g/other')).toEqual([]);
    expect(await json('dlq', 'list', '--since', '1d', '--limit', '1')).toMatchObject([{ sourceIndex: letters[1]?.sourceIndex }]);

    expect(await json<Replayed>('dlq', 'replay', String(first?.sourceIndex))).toEqual([{ replayed: 1, samples: 1, stored: 0 }]);
    await sparkplug('NBIRTH', 0, [{ name: 'bdSeq', dataType: dataType.Int64, value: 0 }]);
    await sparkplug('DBIRTH', 1, [{ name: 'Temp', alias: 7, dataType: dataType.Double, value: null }]);
    expect(await json<Replayed>('dlq', 'replay', '--reason', 'beforeBirth')).toEqual([{ replayed: 2, samples: 2, stored: 2 }]);
    expect(await json<Replayed>('dlq', 'replay', '--reason', 'beforeBirth')).toEqual([{ replayed: 2, samples: 2, stored: 0 }]);
    expect(await values('g/old/oven', 'Temp', fromMs - 1000, Date.now() + 1000)).toEqual([181, 182]);
  });

  it('of a wrong clock are stored with --force only', async () => {
    const atMs = Date.UTC(2001, 0, 1, 12);
    await client.publishAsync('json/g/old/oven', JSON.stringify({ ts: atMs, values: { Past: 5 } }), { qos: 1 });
    await until('it is a dead letter', async () => (await json('dlq', 'list', '--reason', 'timestampOutOfRange')).length === 1);
    const stored = () => values('g/old/oven', 'Past', atMs - 1000, atMs + 1000);
    expect(await json<Replayed>('dlq', 'replay', '--reason', 'timestampOutOfRange')).toMatchObject([{ replayed: 1, stored: 0 }]);
    expect(await json<Replayed>('dlq', 'replay', '--reason', 'timestampOutOfRange', '--force')).toMatchObject([{ replayed: 1, stored: 1 }]);
    expect(await stored()).toEqual([5]);
  });

  it('say what is missing, and are replayed by nobody who may not', async () => {
    expect(await run('dlq', 'replay')).toMatchObject({ code: 78, stderr: expect.stringContaining('--reason') });
    expect(await run('dlq', 'replay', '--reason', 'none')).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('no such dead letter'),
    });
    expect(await run('dlq', 'show', '99999')).toMatchObject({ code: 1, stderr: expect.stringContaining('no dead letter 99999') });
    expect(await run('dlq', 'list', '--since', 'soon')).toMatchObject({ code: 78 });
    const url = `http://127.0.0.1:${http}`;
    for (const path of ['/api/v1/dead-letters/replay', '/api/v1/backups']) {
      // The demo lets this computer look, not change.
      const asDemo = await fetch(`${url}${path}`, { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } });
      expect(asDemo.status).toBe(403);
      const foreign = {
        origin: 'https://elsewhere.example',
        authorization: `Basic ${Buffer.from('admin:test-admin-password').toString('base64')}`,
      };
      expect((await fetch(`${url}${path}`, { method: 'POST', headers: foreign })).status).toBe(403);
    }
    expect((await fetch(`${url}/api/v1/backups`)).status).toBe(403);
    const token = { env: { NHIP_TOKEN: 'nhip_wrong' } };
    expect(await runNhip(['dlq', 'replay', '--reason', 'x', '--data', data.path, '--url', url], token)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('401'),
    });
    const password = { env: { NHIP_PASSWORD: 'test-admin-password' } };
    expect(await runNhip(['dlq', 'replay', '--reason', 'x', '--data', data.path, '--url', url], password)).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('no such dead letter'),
    });
  });
});

interface Diagnosis {
  readonly ok: boolean;
  readonly findings: readonly { readonly check: string; readonly state: string; readonly says: string; readonly todo?: string }[];
}

async function diagnose(...args: readonly string[]): Promise<Diagnosis> {
  const [answer] = await json<Diagnosis>('doctor', ...args);
  if (answer === undefined) throw new Error('the doctor said nothing');
  return answer;
}

/** What is wrong, beside the clock: a build machine may have no time server. */
function wrongs({ findings }: Diagnosis): readonly string[] {
  return findings.filter(({ check, state }) => state === 'wrong' && check !== 'clock').map(({ says, todo }) => `${says} ${todo}`);
}

describe('the doctor', () => {
  it('finds nothing wrong with a running server, then what somebody broke, and prints no secret', async () => {
    const found = await diagnose();
    expect(wrongs(found)).toEqual([]);
    expect(found.findings.map(({ check }) => check)).toEqual(
      expect.arrayContaining(['clock', 'disk', 'ports', 'permissions', 'versions', 'server']),
    );
    const users = join(data.path, 'server/users.json');
    chmodSync(users, 0o644);
    const broken = await run('doctor');
    chmodSync(users, 0o600);
    expect(broken).toMatchObject({ code: 1, stdout: expect.stringContaining(`chmod 600 ${users}`) });
    const access = JSON.parse(readFileSync(join(data.path, 'server/local-access.json'), 'utf8')) as { token: string };
    expect(broken.stdout).not.toContain(access.token);
  });

  it('tells who has the port, and every problem of a configuration at once', async () => {
    expect(wrongs(await diagnose('--http-port', String(http)))).toEqual([]);
    const other = makeDataFolder();
    const { stdout } = await runNhip(['doctor', '--data', other.path, '--http-port', String(http), '--json']);
    other.remove();
    expect(stdout).toContain(`process ${server.pid} (`);
    const file = join(data.path, 'server.yaml');
    writeFileSync(file, 'broker: { port: 99999 }\nunknown: 1\n');
    expect(wrongs(await diagnose('--config', file))).toEqual([expect.stringContaining('broker.port'), expect.stringContaining('unknown')]);
  });

  it('on a gateway: login, machines and outbox of a running agent; what is off, and what to do', async () => {
    const plc: SettablePlc = await startSettablePlc();
    const { config, start } = await prepareEdge(data, 'e', mqtt, [machineConnection(plc.port)]);
    const agent = start();
    await agent.ready;
    chmodSync(config, 0o600);
    const examine = () => diagnose('--config', config, '--url', `http://127.0.0.1:${http}`);
    const fine = await until('the outbox is there', async () => {
      const found = await examine();
      return found.findings.some(({ check, state }) => check === 'outbox' && state === 'ok') && found;
    });
    expect(wrongs(fine)).toEqual([]);
    expect(fine.findings.map(({ says }) => says).join('\n')).toMatch(/accepts g\/e[\s\S]*answers/);
    // Under a client id of its own it did not throw the agent out.
    expect(agent.stderr()).not.toContain('connection closed');

    await plc.close();
    const text = readFileSync(config, 'utf8');
    const password = /password: (\S+)/.exec(text)?.[1] ?? '';
    writeFileSync(config, text.replace(password, 'not-the-password'));
    const off = await examine();
    expect(wrongs(off)).toEqual([
      expect.stringMatching(/refuses g\/e.*nhip device add g\/e/),
      expect.stringMatching(/plc: tcp:.*cannot be reached \(ECONNREFUSED\)/),
    ]);
    expect(JSON.stringify([fine, off])).not.toContain(password);
    expect(JSON.stringify(off)).not.toContain('not-the-password');
    await agent.stop();
  });

  it('says that a server was killed, and replay says to start it', async () => {
    await server.kill();
    expect(wrongs(await diagnose())).toEqual([expect.stringContaining('does not answer')]);
    expect(await run('dlq', 'replay', '--reason', 'beforeBirth')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('does not answer'),
    });
    // Listing needs no server.
    expect((await json('dlq', 'list')).length).toBe(3);
    server = startServer(data, { http, mqtt });
    await server.ready;
    await server.stop();
    expect(await run('dlq', 'replay', '--reason', 'beforeBirth')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('start it first'),
    });
  });
});
