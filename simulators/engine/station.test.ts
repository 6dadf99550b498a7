import { describe, expect, it } from 'vitest';
import { endlessFeed, type Feed } from '../machine.ts';
import { run, workContext } from '../testing/machine-suite.ts';
import { createFeed } from './feed.ts';
import { createPrng } from './prng.ts';
import { createProducer, lag } from './producer.ts';
import { createStation, type StationConfig } from './station.ts';

const minuteMs = 60_000;

const config: StationConfig = {
  products: [{ name: 'A', idealCycleMs: 10_000, lotPieces: 500 }],
  slowness: 1.1,
  cycleSpread: 0.02,
  rejectShare: 0.05,
  stops: [
    { state: 'fault', reason: 'boxJam', everyMs: 30 * minuteMs, lastsMs: 3 * minuteMs, alarm: 'BoxJam' },
    { state: 'idle', reason: 'waitingForOperator', everyMs: 60 * minuteMs, lastsMs: 2 * minuteMs },
  ],
  changeoverMs: 10 * minuteMs,
  warmUpMs: 5 * minuteMs,
  piecesPerCycle: 1,
  minimumAirBar: 5,
};

const quiet: StationConfig = { ...config, stops: [{ ...config.stops[0], everyMs: 1e12 } as StationConfig['stops'][number]] };

function machineOf(seed: number, feed: Feed = endlessFeed) {
  const machine = createProducer({
    id: 'S',
    seed,
    station: config,
    process: {},
    power: { idleKw: 1, runKw: 10 },
    alarms: ['BoxJam'],
    update: () => {},
  });
  return { machine, step: (dtMs: number) => machine.step(dtMs, { ...workContext, feed }) };
}

describe('a station', () => {
  it('makes the same pieces and uses the same energy whether it is stepped by 100 ms, 10 s or 60 s', () => {
    const totals = [100, 10_000, 60_000].map((dtMs) => {
      const { machine } = machineOf(5);
      run(machine, new Array<number>((6 * 3_600_000) / dtMs).fill(dtMs));
      return machine.values();
    });
    for (const values of totals) {
      expect(values['Count/Good']).toBe(totals[0]?.['Count/Good']);
      expect(values['Count/Reject']).toBe(totals[0]?.['Count/Reject']);
      expect(Number(values['Energy/Import'])).toBeCloseTo(Number(totals[0]?.['Energy/Import']), 0);
    }
    expect(Number(totals[0]?.['Count/Good'])).toBeGreaterThan(1_000);
  });

  it('has the availability and the reject rate that its config says, over a month', () => {
    const { machine, step } = machineOf(9);
    let [runningMs, totalMs] = [0, 0];
    for (let i = 0; i < 30 * 24 * 60; i++) {
      step(minuteMs);
      totalMs += minuteMs;
      if (machine.values().State === 'running') runningMs += minuteMs;
    }
    // Per running hour: 2 faults of 3 min, 1 wait of 2 min, and about 0.65 changeovers of 10 min.
    expect(runningMs / totalMs).toBeGreaterThan(0.74);
    expect(runningMs / totalMs).toBeLessThan(0.86);
    const [good, reject] = [Number(machine.values()['Count/Good']), Number(machine.values()['Count/Reject'])];
    expect(reject / (good + reject)).toBeGreaterThan(0.045);
    expect(reject / (good + reject)).toBeLessThan(0.062);
  });

  it('keeps running through the short waits of a line and tells a long one with its reason', () => {
    const station = createStation(quiet, createPrng(1, 'x'));
    const starved = { ...workContext, feed: { ...endlessFeed, waiting: () => 0 } };
    station.step(10_000, starved);
    expect(station.state.state).toBe('running');
    station.step(10_000, starved);
    expect(station.state).toMatchObject({ state: 'idle', reason: 'starved' });
    station.step(1_000, { ...workContext, feed: { ...endlessFeed, waiting: () => 2 } });
    expect(station.state.state).toBe('idle');
    station.step(1_000, { ...workContext, feed: { ...endlessFeed, waiting: () => 3 } });
    expect(station.state).toMatchObject({ state: 'running', reason: '' });
  });

  it('waits for room and for air', () => {
    for (const [context, reason] of [
      [{ ...workContext, feed: { ...endlessFeed, room: () => 0 } }, 'blocked'],
      [{ ...workContext, airBar: 4 }, 'noAir'],
    ] as const) {
      const station = createStation(quiet, createPrng(1, 'x'));
      station.step(20_000, context);
      expect(station.state).toMatchObject({ state: 'idle', reason });
    }
  });

  it('shows the alarm of a fault while it lasts', () => {
    const { machine, step } = machineOf(2);
    const seen = new Set<string>();
    for (let i = 0; i < 20_000; i++) {
      step(1_000);
      const { 'State/Reason': reason, 'Alarm/BoxJam': alarm } = machine.values();
      seen.add(`${String(reason === 'boxJam')} ${String(alarm)}`);
    }
    expect([...seen].sort()).toEqual(['false false', 'true true']);
  });

  it('wraps its counters at 32 bits as a PLC does', () => {
    const station = createStation(quiet, createPrng(1, 'x'));
    station.restore({ ...(station.snapshot() as Record<string, never>), good: 2 ** 32 - 1, lotLeft: 1e9 });
    while (station.state.good > 1e6) station.step(10_000, workContext);
    expect(station.state.good).toBeLessThan(10);
  });
});

describe('a conveyor', () => {
  it('loses and invents no piece between two machines', () => {
    const conveyors = [{ from: 'a', to: 'b', capacity: 5, level: 0 }];
    const [a, b] = [createStation(quiet, createPrng(1, 'a')), createStation({ ...quiet, rejectShare: 0 }, createPrng(2, 'b'))];
    for (let i = 0; i < 5_000; i++) {
      a.step(7_000, { ...workContext, feed: createFeed('a', conveyors) });
      b.step(7_000, { ...workContext, feed: createFeed('b', conveyors) });
      const level = conveyors[0]?.level ?? -1;
      expect(level).toBeGreaterThanOrEqual(0);
      expect(level).toBeLessThanOrEqual(5);
      const inWork = b.state.cycleLeftMs > 0 ? 1 : 0;
      expect(a.state.good).toBe(b.state.good + b.state.reject + level + inWork);
    }
    expect(b.state.good).toBeGreaterThan(1_000);
  });
});

describe('lag', () => {
  it('is exact for any step size', () => {
    let small = 20;
    for (let i = 0; i < 100; i++) small = lag(small, 80, 5_000, 100);
    expect(small).toBeCloseTo(lag(20, 80, 5_000, 10_000), 9);
  });
});
