import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CountingPlc, countingConnection, startCountingPlc } from '../harness/counting-plc.ts';
import { type DataFolder, makeDataFolder, prepareEdge, startServer } from '../harness/plant.ts';
import { storedNumbers } from '../harness/stored.ts';
import { until } from '../harness/until.ts';

const units = Array.from({ length: 10 }, (_, i) => i + 1);
const intervalMs = 50;

/** What a crash of the edge may take: values that were read and not yet synced (commit window plus the sync itself). */
const crashWindowMs = 1000;

let data: DataFolder;
let plc: CountingPlc;

beforeEach(async () => {
  data = makeDataFolder();
  plc = await startCountingPlc();
});

afterEach(async () => {
  await plc.close();
  data.remove();
});

async function statsOf(http: number): Promise<{ stored: number; repeated: number; deadLettered: number; lagMs: number }> {
  const response = await fetch(`http://127.0.0.1:${http}/api/v1/stats`);
  return response.json() as Promise<{ stored: number; repeated: number; deadLettered: number; lagMs: number }>;
}

/** The edge has nothing more to send and the server has stored what came. */
async function drained(http: number): Promise<void> {
  const fromMs = Date.now();
  await until(
    'the outbox is empty and everything is stored',
    async () => {
      const response = await fetch(`http://127.0.0.1:${http}/api/v1/health/edges`);
      const { edges } = (await response.json()) as {
        edges: { id: string; online: boolean; lastSeen: number; outboxRecords: number | null }[];
      };
      const edge = edges.find(({ id }) => id === 'g/e');
      const isEmpty = edge?.online === true && edge.lastSeen > fromMs + 6000 && edge.outboxRecords === 0;
      return isEmpty && (await statsOf(http)).lagMs === 0;
    },
    90_000,
  );
}

/** Compares the PLC's own journal with the store: lost and doubled values, beside those served just before an edge was killed. */
async function judge(
  killedEdgeAtMs: readonly number[],
): Promise<{ lost: number; doubled: number; inCrashWindow: number; invented: number; served: number }> {
  const rows = await storedNumbers(data, 'Count/Total');
  const seen = new Map<string, number>();
  for (const { machine, value } of rows) seen.set(`${machine} ${value}`, (seen.get(`${machine} ${value}`) ?? 0) + 1);
  let lost = 0;
  let inCrashWindow = 0;
  for (const { unit, value, atMs } of plc.journal) {
    if (seen.has(`g/e/U${unit} ${value}`)) continue;
    if (killedEdgeAtMs.some((killedMs) => atMs <= killedMs && atMs > killedMs - crashWindowMs)) inCrashWindow++;
    else lost++;
  }
  const served = new Set(plc.journal.map(({ unit, value }) => `g/e/U${unit} ${value}`));
  return {
    lost,
    doubled: [...seen.values()].filter((count) => count > 1).length,
    inCrashWindow,
    invented: [...seen.keys()].filter((key) => !served.has(key)).length,
    served: plc.journal.length,
  };
}

describe('kill -9 under load', () => {
  it('of the server, five times: nothing that the PLC said is lost, doubled or invented', async () => {
    let server = startServer(data);
    const { http, mqtt } = await server.ready;
    const edge = await prepareEdge(data, 'e', mqtt ?? 0, [countingConnection(plc.port, units, intervalMs)]);
    const agent = edge.start();
    await agent.ready;
    for (let round = 0; round < 5; round++) {
      const before = plc.journal.length;
      await until('samples are stored', async () => (await statsOf(http ?? 0)).stored > 50);
      await until('the PLC was read on', () => plc.journal.length > before + 100);
      await server.kill();
      const down = plc.journal.length;
      await until('the PLC is read while the server is down', () => plc.journal.length > down + 50);
      server = startServer(data, { http: http ?? 0, mqtt: mqtt ?? 0 });
      await server.ready;
    }
    const closedAtMs = Date.now();
    await plc.close();
    await drained(http ?? 0);
    expect((await agent.stop()).code).toBe(0);
    expect((await server.stop()).code).toBe(0);
    const verdict = await judge([closedAtMs]);
    expect(verdict).toMatchObject({ lost: 0, doubled: 0, invented: 0 });
    // The one read that was on the wire when the PLC was switched off was answered to nobody.
    expect(verdict.inCrashWindow).toBeLessThanOrEqual(1);
    expect(verdict.served).toBeGreaterThan(500);
  });

  it('of the edge agent, five times: nothing that was on its disk is lost, nothing is doubled', async () => {
    const server = startServer(data);
    const { http, mqtt } = await server.ready;
    const edge = await prepareEdge(data, 'e', mqtt ?? 0, [countingConnection(plc.port, units, intervalMs)]);
    const killedAtMs: number[] = [];
    let stored = 0;
    for (let round = 0; round < 5; round++) {
      const agent = edge.start();
      await agent.ready;
      await until('samples of this round are stored', async () => (await statsOf(http ?? 0)).stored > stored + 150);
      await agent.kill();
      killedAtMs.push(Date.now());
      stored = (await statsOf(http ?? 0)).stored;
    }
    const last = edge.start();
    await last.ready;
    await until('the last agent delivered', async () => (await statsOf(http ?? 0)).stored > stored + 50);
    const closedAtMs = Date.now();
    await plc.close();
    await drained(http ?? 0);
    await last.stop();
    await server.stop();
    const verdict = await judge([...killedAtMs, closedAtMs]);
    expect(verdict).toMatchObject({ lost: 0, doubled: 0, invented: 0 });
    // At most the window of each crash: interval, commit delay and one sync.
    expect(verdict.inCrashWindow).toBeLessThanOrEqual(6 * units.length * Math.ceil(crashWindowMs / intervalMs));
  });

  it('of both at once: the backlog of the outage arrives after the restart', async () => {
    let server = startServer(data);
    const { http, mqtt } = await server.ready;
    const edge = await prepareEdge(data, 'e', mqtt ?? 0, [countingConnection(plc.port, units, intervalMs)]);
    let agent = edge.start();
    await until('samples are stored', async () => (await statsOf(http ?? 0)).stored > 100);
    await server.kill();
    const down = plc.journal.length;
    await until('an outage of some length', () => plc.journal.length > down + 300);
    await agent.kill();
    const killedAtMs = Date.now();
    server = startServer(data, { http: http ?? 0, mqtt: mqtt ?? 0 });
    await server.ready;
    agent = edge.start();
    await until('the backlog is stored', async () => (await statsOf(http ?? 0)).stored > 350);
    const closedAtMs = Date.now();
    await plc.close();
    await drained(http ?? 0);
    await agent.stop();
    await server.stop();
    expect(await judge([killedAtMs, closedAtMs])).toMatchObject({ lost: 0, doubled: 0, invented: 0 });
  });
});
