import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSimRandom } from '@nhip/core/process/simulation/sim-random';
import { quality } from '@nhip/core/wire/sample';
import { HistoryReadResult, StatusCodes } from 'node-opcua-client';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { DriverDeps, Reading } from '../../driver.ts';
import { type Followed, followDriver, makeDriver, opcuaDeps } from '../../testing/opcua-follow.ts';
import { startOpcuaServer, type TestOpcuaServer } from '../../testing/opcua-server.ts';
import { waitFor } from '../../testing/wait-for.ts';

const uri = 'urn:plant';
const awayUri = 'urn:plant:away';
const kept = ['Level', 'Speed', 'Long', 'Short', 'Cut', 'Walk', 'Brief', 'Off', 'Away', 'On', 'Twin', 'Behind', 'Beside'] as const;
const node = (name: string): string => `nsu=${name === 'Away' ? awayUri : uri};s=${name}`;
const startMs = Date.now() - 3_600_000;

describe('history after an outage', { timeout: 60_000 }, () => {
  let folder: string;
  let server: TestOpcuaServer;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nhip-opcua-history-'));
    server = await startOpcuaServer({
      namespaces: [uri, awayUri],
      nodes: [
        ...kept.map((name) => ({ node: node(name), dataType: 'Double' as const, value: 0, history: 10_000 })),
        { node: node('Plain'), dataType: 'Double', value: 7 },
      ],
      capabilities: { operationLimits: { maxNodesPerHistoryReadData: 2 } },
    });
    for (const name of kept) server.record(node(name), 0, new Date(startMs));
  }, 60_000);
  afterAll(async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const config = (names: readonly string[], history: object = {}, tag: object = {}): object => ({
    id: 'cell 1',
    driver: 'opcua',
    endpoint: server.endpoint,
    securityMode: 'None',
    history: { maxValuesPerS: 100_000, ...history },
    devices: [{ id: 'd', intervalMs: 50, tags: names.map((name) => ({ metric: name, node: node(name), dataType: 'Double', ...tag })) }],
  });
  /** Connects, waits for the live values and for `until`, and ends the connection. */
  const session = async (of: object, deps: DriverDeps, names: readonly string[], until: (followed: Followed) => boolean = () => true) => {
    const followed = await followDriver(of, deps);
    try {
      const isLive = (name: string): boolean => followed.readings.some((each) => each.metric === name && each.isHistorical !== true);
      await waitFor('live values', () => names.every(isLive));
      await waitFor('the history', () => until(followed), 15_000);
    } finally {
      await followed.driver.close();
    }
    return followed;
  };
  const historical = (followed: Followed, metric: string): readonly Reading[] =>
    followed.all(metric).filter(({ isHistorical }) => isHistorical === true);
  const times = (readings: readonly Reading[]): readonly number[] => readings.map(({ timestampMs }) => timestampMs - startMs);

  it('reads what was missed, once, in order, with its quality, and marks it', async () => {
    const deps = opcuaDeps(join(folder, 'a'));
    const both = config(['Level', 'Speed', 'Plain']);
    const first = await session(both, deps, ['Level', 'Speed', 'Plain']);
    expect(first.readings.filter(({ isHistorical }) => isHistorical === true)).toEqual([]);
    for (let i = 1; i <= 5; i++) server.record(node('Level'), i, new Date(startMs + i * 1000), i === 3 ? 'BadSensorFailure' : 'Good');
    server.record(node('Speed'), 50, new Date(startMs + 2000), 'UncertainLastUsableValue');
    server.record(node('Speed'), 51, new Date(startMs + 2500));
    const second = await session(
      both,
      deps,
      ['Level', 'Speed', 'Plain'],
      (of) => historical(of, 'Level').length + historical(of, 'Speed').length >= 5,
    );
    expect(second.all('Level')[0]).toEqual({ metric: 'Level', value: 5, timestampMs: startMs + 5000, quality: quality.good });
    expect(historical(second, 'Level')).toEqual(
      [1, 2, 3, 4].map((i) => ({
        metric: 'Level',
        value: i === 3 ? null : i,
        timestampMs: startMs + i * 1000,
        quality: i === 3 ? quality.bad : quality.good,
        isHistorical: true,
      })),
    );
    expect(historical(second, 'Speed')).toMatchObject([{ value: 50, quality: quality.stale }]);
    expect(historical(second, 'Plain')).toEqual([]);
    const third = await session(both, deps, ['Level', 'Speed', 'Plain']);
    expect(third.readings.filter(({ isHistorical }) => isHistorical === true)).toEqual([]);
  });

  it('knows where a session was that ended before the server said which nodes have history', async () => {
    const deps = opcuaDeps(join(folder, 'f'));
    const brief: Reading[] = [];
    for (const at of [0, 1000]) {
      const driver = await makeDriver(config(['Brief']), deps);
      const { signal } = new AbortController();
      await driver.connect(signal);
      await new Promise<void>((resolve, reject) => {
        const take = (_: string, readings: readonly Reading[]): void => {
          brief.push(...readings.filter(({ isHistorical }) => isHistorical === true));
          setImmediate(() => void driver.close().then(resolve, reject));
        };
        driver.subscribe?.(take, reject, signal).catch(() => undefined);
      });
      server.record(node('Brief'), at + 1, new Date(startMs + at + 500));
      server.record(node('Brief'), at + 2, new Date(startMs + at + 1000));
    }
    const all = (of: Followed): readonly Reading[] => [...brief, ...historical(of, 'Brief')];
    const followed = await session(config(['Brief']), deps, ['Brief'], (of) => all(of).length >= 2);
    expect(times(all(followed))).toEqual([500, 1500]);
  });

  it('knows where nodes were that were not there in the session between, they or their namespace', async () => {
    const deps = opcuaDeps(join(folder, 'g'));
    const all = config(['Off', 'Away', 'On']);
    await session(all, deps, ['Off', 'Away', 'On']);
    const half = await startOpcuaServer({ namespaces: [uri], nodes: [{ node: node('On'), dataType: 'Double', value: 0, history: 100 }] });
    half.record(node('On'), 1, new Date(startMs + 1000));
    await session({ ...all, endpoint: half.endpoint }, deps, ['On']);
    await half.stop();
    for (const at of [1000, 2000, 3000]) for (const name of ['Off', 'Away']) server.record(node(name), at, new Date(startMs + at));
    const read = (of: Followed): readonly (readonly number[])[] => ['Off', 'Away'].map((name) => times(historical(of, name)));
    const followed = await session(all, deps, ['Off', 'Away', 'On'], (of) => read(of).flat().length >= 4);
    expect(read(followed)).toEqual([
      [1000, 2000],
      [1000, 2000],
    ]);
  });

  it('reads what was missed for each of several tags of one node, also when the node was away in the session between', async () => {
    const deps = opcuaDeps(join(folder, 'h'));
    const twins = ['Twin', 'Twin/Coarse'];
    const tags = [
      { metric: 'Twin', node: node('Twin'), dataType: 'Double' },
      { metric: 'Twin/Coarse', node: node('Twin'), dataType: 'Double', scale: 0.5, intervalMs: 60 },
    ];
    const both = { ...config([]), devices: [{ id: 'd', intervalMs: 50, tags }] };
    await session(both, deps, twins);
    const without = await startOpcuaServer({ namespaces: [uri], nodes: [{ node: node('On'), dataType: 'Double', value: 0 }] });
    const away = { ...both, endpoint: without.endpoint };
    await session(away, deps, twins);
    await without.stop();
    // More than a page, so that both are asked for again.
    const missed = Array.from({ length: 1500 }, (_, i) => i + 1);
    for (const at of [...missed, 2000]) server.record(node('Twin'), at, new Date(startMs + at));
    const read = (of: Followed): readonly unknown[] => twins.map((name) => historical(of, name).map(({ value }) => value));
    const followed = await session(both, deps, twins, (of) => twins.every((name) => historical(of, name).length >= 1500));
    expect(read(followed)).toEqual([missed, missed.map((each) => each / 2)]);
  });

  it('reads long history in pages, and goes on after another loss where it was', async () => {
    const deps = opcuaDeps(join(folder, 'b'));
    await session(config(['Long']), deps, ['Long']);
    for (let i = 1; i <= 3500; i++) server.record(node('Long'), i, new Date(startMs + i));
    // So slow that the loss comes before the second page.
    const slow = await session(config(['Long'], { maxValuesPerS: 500 }), deps, ['Long'], (of) => historical(of, 'Long').length > 0);
    const rest = await session(config(['Long']), deps, ['Long'], (of) => historical(of, 'Long').at(-1)?.timestampMs === startMs + 3499);
    const all = [...times(historical(slow, 'Long')), ...times(historical(rest, 'Long'))];
    expect(times(historical(slow, 'Long')).length).toBeLessThanOrEqual(1000);
    expect(all).toEqual(Array.from({ length: 3499 }, (_, i) => i + 1));
  });

  it('gives up what is too long ago or too much, and says so', async () => {
    const lines: string[] = [];
    const deps = { ...opcuaDeps(join(folder, 'c')), log: pino({ base: null }, { write: (line: string) => lines.push(line) }) };
    await session(config(['Short', 'Cut']), deps, ['Short', 'Cut']);
    server.record(node('Short'), 1, new Date(startMs + 1000));
    server.record(node('Short'), 2, new Date(Date.now() - 60_000));
    server.record(node('Short'), 3, new Date());
    for (let i = 1; i <= 30; i++) server.record(node('Cut'), i, new Date(Date.now() - 100_000 + i * 1000));
    const limited = config(['Short', 'Cut'], { maxAgeMs: 600_000, maxValuesPerNode: 10 });
    const followed = await session(
      limited,
      deps,
      ['Short', 'Cut'],
      (of) => historical(of, 'Cut').length >= 10 && historical(of, 'Short').some(({ value }) => value === 2),
    );
    expect(historical(followed, 'Short').map(({ value }) => value)).not.toContain(1);
    expect(historical(followed, 'Cut').map(({ value }) => value)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(lines.filter((line) => line.includes('limits of the history')).length).toBe(1);
  });

  it('goes on live when the server refuses history', async () => {
    const lines: string[] = [];
    const deps = { ...opcuaDeps(join(folder, 'd')), log: pino({ base: null }, { write: (line: string) => lines.push(line) }) };
    const forced = config(['Plain'], {}, { history: true });
    await session(forced, deps, ['Plain']);
    server.record(node('Plain'), 8, new Date(Date.now() + 2000));
    await session(forced, deps, ['Plain'], () => lines.length > 0);
    expect(lines.join()).toContain('does not give its history');
    const off = config(['Level'], {}, { history: false });
    await session(off, deps, ['Level']);
    server.record(node('Level'), 9, new Date(startMs + 9000));
    server.record(node('Level'), 10, new Date(startMs + 10_000));
    expect(historical(await session(off, deps, ['Level']), 'Level')).toEqual([]);
  });

  it('reads in the next session what the server could not get from a machine behind it', async () => {
    const lines: string[] = [];
    const deps = { ...opcuaDeps(join(folder, 'i')), log: pino({ base: null }, { write: (line: string) => lines.push(line) }) };
    const names = ['Behind', 'Beside'];
    await session(config(names), deps, names);
    for (const at of [1000, 2000, 3000]) for (const name of names) server.record(node(name), at, new Date(startMs + at));
    // Its type is taken from the form with a callback; the server uses the one that promises.
    const away = vi
      .spyOn(server.variable(node('Behind')), 'historyRead')
      .mockResolvedValue(new HistoryReadResult({ statusCode: StatusCodes.BadNoCommunication }) as never);
    const isAsked = (of: Followed): boolean => historical(of, 'Beside').length >= 2 && away.mock.calls.length > 0;
    const second = await session(config(names), deps, names, isAsked);
    expect(away).toHaveBeenCalledTimes(1);
    away.mockRestore();
    const third = await session(config(names), deps, names, (of) => historical(of, 'Behind').length >= 2);
    expect([second, third].map((of) => names.map((name) => times(historical(of, name))))).toEqual([
      [[], [1000, 2000]],
      [[1000, 2000], []],
    ]);
    expect(lines.filter((line) => line.includes('BadNoCommunication'))).toEqual([expect.stringContaining('next session')]);
  });

  it('delivers every value exactly once over any sequence of sessions and outages', async () => {
    const deps = opcuaDeps(join(folder, 'e'));
    const random = createSimRandom(7);
    const seen: number[] = [];
    const written: number[] = [];
    let at = 0;
    const write = (): void => {
      at += 1 + Math.floor(random.next() * 500);
      written.push(at);
      server.record(node('Walk'), at, new Date(startMs + at));
    };
    for (let round = 0; round < 5; round++) {
      const followed = await followDriver(config(['Walk']), deps);
      await waitFor('the live value', () => followed.all('Walk').some(({ isHistorical }) => isHistorical !== true));
      for (let i = Math.floor(random.next() * 3); i > 0; i--) {
        write();
        await waitFor('the value', () => followed.all('Walk').some(({ timestampMs }) => timestampMs === startMs + at));
      }
      await waitFor('everything', () => new Set([...seen, ...times(followed.all('Walk'))]).size >= written.length + 1, 10_000);
      await followed.driver.close();
      // The first live value of a session may be the last one of the session before: the current value of a birth.
      seen.push(...times(followed.all('Walk')).filter((each, i) => i > 0 || !seen.includes(each)));
      for (let i = Math.floor(random.next() * 6); i > 0; i--) write();
    }
    const delivered = [...seen].sort((a, b) => a - b);
    expect(delivered).toEqual([0, ...written.filter((each) => each <= (delivered.at(-1) ?? 0))]);
  });
});
