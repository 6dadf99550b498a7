import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CountingPlc, countingConnection, countingDevice, startCountingPlc } from '../harness/counting-plc.ts';
import { readDuckdbFile, storedSamples } from '../harness/duckdb-file.ts';
import { nhip, type Process, runNhip } from '../harness/nhip.ts';
import { addDevice, type DataFolder, makeDataFolder, prepareEdge, startServer } from '../harness/plant.ts';
import { storedNumbers } from '../harness/stored.ts';
import { until } from '../harness/until.ts';

const units = Array.from({ length: 10 }, (_, i) => i + 1);
const intervalMs = 50;

let data: DataFolder;
let plc: CountingPlc;
let running: Process[] = [];

beforeEach(async () => {
  data = makeDataFolder();
  plc = await startCountingPlc();
});

afterEach(async () => {
  await plc.close();
  await Promise.all(running.splice(0).map((process) => process.kill()));
  data.remove();
});

function keep(process: Process): Process {
  running.push(process);
  return process;
}

async function stop(process: Process): Promise<void> {
  expect((await process.stop()).code).toBe(0);
  running = running.filter((other) => other !== process);
}

async function get<Answer>(http: number | undefined, path: string): Promise<Answer> {
  return (await fetch(`http://127.0.0.1:${http}${path}`)).json() as Promise<Answer>;
}

interface Edges {
  readonly edges: readonly {
    readonly id: string;
    readonly online: boolean;
    readonly lastSeen: number;
    readonly outboxRecords: number | null;
  }[];
}

/** The edge has nothing more to send and the server has stored what came. */
async function drained(http: number | undefined): Promise<void> {
  const fromMs = Date.now();
  await until(
    'the outbox is empty and everything is stored',
    async () => {
      const edge = (await get<Edges>(http, '/api/v1/health/edges')).edges.find(({ id }) => id === 'g/e');
      const isEmpty = edge?.online === true && edge.lastSeen > fromMs + 6000 && edge.outboxRecords === 0;
      return isEmpty && (await get<{ lagMs: number }>(http, '/api/v1/stats')).lagMs === 0;
    },
    60_000,
  );
}

/** The PLC's own journal against the store, read with stock DuckDB. */
async function judge(closedAtMs: number): Promise<{ readonly lost: number; readonly doubled: number; readonly invented: number }> {
  const seen = new Map<string, number>();
  for (const { machine, value } of await storedNumbers(data, 'Count/Total')) {
    seen.set(`${machine} ${value}`, (seen.get(`${machine} ${value}`) ?? 0) + 1);
  }
  // A read that was on the wire when the PLC was switched off was answered to nobody.
  const served = plc.journal.filter(({ atMs }) => atMs < closedAtMs - intervalMs);
  const all = new Set(plc.journal.map(({ unit, value }) => `g/e/U${unit} ${value}`));
  return {
    lost: served.filter(({ unit, value }) => !seen.has(`g/e/U${unit} ${value}`)).length,
    doubled: [...seen.values()].filter((count) => count > 1).length,
    invented: [...seen.keys()].filter((key) => !all.has(key)).length,
  };
}

async function run(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runNhip([...args, '--data', data.path]);
  if (code !== 0) throw new Error(`nhip ${args.join(' ')}: ${stderr}`);
  return stdout;
}

describe('backup and restore', () => {
  it('of a running server: after the restore everything since the backup is there again, once', async () => {
    const server = keep(startServer(data));
    const { http, mqtt } = await server.ready;
    const edge = await prepareEdge(data, 'e', mqtt ?? 0, [countingConnection(plc.port, units, intervalMs)]);
    const agent = keep(edge.start());
    await agent.ready;
    await until('samples are stored', async () => (await get<{ stored: number }>(http, '/api/v1/stats')).stored > 200);

    const backup = join(data.path, 'backup.tar');
    await run('backup', backup);
    expect(statSync(backup).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(data.path, 'backups'))).toEqual([]);
    const atBackup = plc.journal.length;
    await until('the PLC was read on', () => plc.journal.length > atBackup + 400);
    const closedAtMs = Date.now();
    await plc.close();
    await drained(http);
    await stop(agent);
    await stop(server);
    expect(await judge(closedAtMs)).toEqual({ lost: 0, doubled: 0, invented: 0 });

    const said = await run('restore', backup);
    expect(said).toContain('The log still holds everything since the backup');
    const restored = (await storedNumbers(data, 'Count/Total')).length;
    expect(restored).toBeGreaterThan(0);
    expect(restored).toBeLessThan(atBackup + 50);
    expect(readdirSync(join(data.path, 'server')).some((name) => name.startsWith('history.duckdb.before-restore-'))).toBe(true);

    const again = keep(startServer(data));
    const { http: port } = await again.ready;
    await until('the log is stored again', async () => {
      const { stored, lagMs } = await get<{ stored: number; lagMs: number }>(port, '/api/v1/stats');
      return stored > 400 && lagMs === 0;
    });
    await stop(again);
    expect(await judge(closedAtMs)).toEqual({ lost: 0, doubled: 0, invented: 0 });
  });

  it('on another computer: the accounts of the backup are there, devices and people can log in', async () => {
    const server = keep(startServer(data, {}, []));
    await server.ready;
    await addDevice(data, 'g/e');
    const backup = join(data.path, 'backup');
    await run('backup', backup);
    await stop(server);
    rmSync(join(data.path, 'server'), { recursive: true });
    expect(await run('restore', backup)).toContain('There is no log here');
    expect(await run('device', 'list')).toContain('g/e');
    for (const name of ['users.json', 'mqtt-credentials.json', 'history.duckdb']) {
      expect(statSync(join(data.path, 'server', name)).mode & 0o777).toBe(0o600);
    }
    const again = keep(startServer(data, {}, []));
    const { http, firstLogin } = await again.ready;
    expect(firstLogin).toBeUndefined();
    const authorization = `Basic ${Buffer.from('admin:test-admin-password').toString('base64')}`;
    expect((await fetch(`http://127.0.0.1:${http}/api/v1/machines`, { headers: { authorization } })).status).toBe(200);
    await stop(again);
  });

  it('keeps accounts that are newer than the backup, unless it is told to take those of the backup', async () => {
    const server = keep(startServer(data, {}, []));
    await server.ready;
    await addDevice(data, 'g/old');
    const backup = join(data.path, 'backup');
    await run('backup', backup);
    await stop(server);
    await addDevice(data, 'g/new');
    await run('restore', backup);
    expect(await run('device', 'list')).toContain('g/new');
    await run('restore', backup, '--accounts');
    expect(await run('device', 'list')).not.toContain('g/new');
    expect(await run('device', 'list')).toContain('g/old');
  });

  it('changes nothing when a byte of the backup is wrong, the server runs, or it is only asked to check', async () => {
    const server = keep(startServer(data));
    await server.ready;
    const backup = join(data.path, 'backup');
    await run('backup', backup);
    const before = () => readdirSync(join(data.path, 'server')).sort();
    expect(await runNhip(['restore', backup, '--data', data.path])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('in use by another process'),
    });
    expect(await runNhip(['backup', backup, '--data', data.path])).toMatchObject({
      code: 78,
      stderr: expect.stringContaining('there already'),
    });
    await stop(server);
    const names = before();
    expect(await run('restore', backup, '--check')).toContain('Nothing was changed');
    const file = join(backup, 'history.duckdb');
    const bytes = readFileSync(file);
    bytes[5000] = (bytes[5000] ?? 0) ^ 1;
    writeFileSync(file, bytes);
    expect(await runNhip(['restore', backup, '--data', data.path])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('history.duckdb is not what was written'),
    });
    expect(before()).toEqual(names);
    expect(existsSync(join(data.path, '.restore.partial'))).toBe(false);
  });

  it('of a stopped server gives the same', async () => {
    const server = keep(startServer(data));
    await server.ready;
    await stop(server);
    const backup = join(data.path, 'backup');
    expect(JSON.parse(await run('backup', backup, '--json'))).toMatchObject({ backup, bytes: expect.any(Number) });
    expect(await run('restore', backup)).toContain('Restored');
    await stop(await started(keep(startServer(data))));
  });

  it('does not start a server on a folder whose restore was cut off', async () => {
    const server = keep(startServer(data));
    await server.ready;
    await stop(server);
    const backup = join(data.path, 'backup');
    await run('backup', backup);
    writeFileSync(join(data.path, 'server/restore-unfinished'), '');
    const refused = await nhip(['server', '--data', data.path, '--http-port', '0', '--mqtt-port', '0']).ended;
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('run nhip restore again') });
    await run('restore', backup);
    await stop(await started(keep(startServer(data))));
  });
});

/** Numbers of one read of the PLC. */
const registers = 10;

interface Account {
  readonly stored: number;
  readonly distinct: number;
  readonly lost: number;
}

/** What the store holds of the PLC's numbers and what its loss reports say, read with stock DuckDB. */
function account(): Promise<Account> {
  const file = join(data.path, 'server/history.duckdb');
  return readDuckdbFile(file, async (connection) => {
    const result = await connection.runAndReadAll(
      `SELECT count(*), count(DISTINCT (machine, metric, v)), (SELECT coalesce(sum(samples), 0) FROM losses)
       FROM ${await storedSamples(connection, file)} WHERE metric LIKE 'Count/%'`,
    );
    const [[stored, distinct, lost] = []] = result.getRows();
    return { stored: Number(stored), distinct: Number(distinct), lost: Number(lost) };
  });
}

describe('a restore without the log that the server had', () => {
  const connection = () => ({
    ...countingConnection(plc.port, [], 0),
    devices: units.map((unit) => countingDevice(unit, registers, intervalMs)),
  });
  /** A quarter of it is the tail that is kept. */
  const outbox = { maxBytes: 4_194_304 };
  /** Names of segments begin with the index of their first record. */
  const oldestSegment = () =>
    readdirSync(join(data.path, 'edge/e/outbox/log'))
      .filter((name) => name.endsWith('.log'))
      .sort()[0] ?? '';

  it('asks the edge for what came since the backup, and has everything again, once', async () => {
    const server = keep(startServer(data));
    const { http, mqtt } = await server.ready;
    const agent = keep((await prepareEdge(data, 'e', mqtt ?? 0, [connection()])).start());
    await until('samples are stored', async () => (await get<{ stored: number }>(http, '/api/v1/stats')).stored > 2000);
    const backup = join(data.path, 'backup');
    await run('backup', backup);
    const atBackup = plc.journal.length;
    await until('the PLC was read on', () => plc.journal.length > atBackup + 500);
    await stop(server);
    rmSync(join(data.path, 'server/log'), { recursive: true });
    expect(await run('restore', backup)).toContain('Edges are asked');
    const again = keep(startServer(data, { http: http ?? 0, mqtt: mqtt ?? 0 }));
    await again.ready;
    plc.switchOff();
    await drained(http);
    await stop(agent);
    await stop(again);
    const { stored, distinct, lost } = await account();
    expect({ stored, distinct, lost }).toEqual({ stored: plc.journal.length * registers, distinct: stored, lost: 0 });
  });

  it('reports exactly what the edge has no more: stored and lost are what was served', async () => {
    const server = keep(startServer(data));
    const { http, mqtt } = await server.ready;
    const edge = await prepareEdge(data, 'e', mqtt ?? 0, [connection()], { outbox });
    const agent = keep(edge.start());
    await until('samples are stored', async () => (await get<{ stored: number }>(http, '/api/v1/stats')).stored > 500);
    const backup = join(data.path, 'backup');
    await run('backup', backup);
    await until('the outbox has given up its oldest segment', () => !oldestSegment().startsWith('0'.repeat(16)), 90_000);
    plc.switchOff();
    await drained(http);
    await stop(agent);
    await stop(server);
    const before = await account();
    expect(before).toEqual({ stored: plc.journal.length * registers, distinct: before.stored, lost: 0 });

    rmSync(join(data.path, 'server/log'), { recursive: true });
    await run('restore', backup);
    const again = keep(startServer(data, { http: http ?? 0, mqtt: mqtt ?? 0 }));
    await again.ready;
    const back = keep(edge.start());
    await until('the edge reported what it has no more', async () => (await get<{ lost: number }>(http, '/api/v1/stats')).lost > 0);
    await drained(http);
    await stop(back);
    await stop(again);
    const { stored, distinct, lost } = await account();
    expect(lost).toBeGreaterThan(0);
    expect(distinct).toBe(stored);
    expect(stored + lost).toBe(plc.journal.length * registers);
  });
});

async function started(process: Process): Promise<Process> {
  await process.ready;
  return process;
}
