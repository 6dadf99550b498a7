import { createSimClock, type SimClock } from '@nhip/core/process/simulation/sim-clock';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { ConnectionLostError, type DriverDeps, type DriverPlugin, type Reading } from '../driver.ts';
import { level, recordingSink, type Script, scriptedPlugin } from '../testing/scripted-driver.ts';
import { type ConnectionHost, createConnectionHost } from './connection-host.ts';

interface Setup {
  readonly clock: SimClock;
  readonly host: ConnectionHost;
  readonly lines: readonly string[];
  readonly log: readonly string[];
  made(): number;
  open(): number;
}

function setUp(script: Script, devices: readonly { id: string; intervalMs: number }[] = [{ id: 'a', intervalMs: 1000 }]): Setup {
  const clock = createSimClock(0);
  const log: string[] = [];
  const logger = pino({ base: null, timestamp: false }, { write: (line: string) => log.push(JSON.parse(line).msg) });
  // Not random: delays are what the back-off says.
  const deps: DriverDeps = {
    clock,
    random: { next: () => 0, bytes: (count) => new Uint8Array(count) },
    log: logger,
    stateDir: '/nonexistent',
  };
  const sink = recordingSink(() => clock.monotonic());
  const scripted = scriptedPlugin(script);
  const plugin: DriverPlugin = scripted.plugin;
  const host = createConnectionHost(plugin, { id: 'line', driver: 'scripted', devices }, sink, deps);
  return { clock, host, lines: sink.lines, log, made: scripted.made, open: scripted.open };
}

describe('the host of a polled connection', () => {
  it('polls each device at its rate, spread out, and reports what changed', async () => {
    const reads: string[] = [];
    let value = 1;
    const { clock, host, lines } = setUp(
      {
        read: async (deviceId) => {
          reads.push(`${clock.monotonic()} ${deviceId}`);
          return level(value);
        },
      },
      [
        { id: 'a', intervalMs: 400 },
        { id: 'b', intervalMs: 1000 },
      ],
    );
    host.start();
    await clock.advance(1600);
    expect(reads).toEqual(['0 a', '400 a', '500 b', '800 a', '1200 a', '1500 b', '1600 a']);
    value = 2;
    await clock.advance(400);
    expect(lines).toEqual(['0 a online', '0 a Level=1', '500 b online', '500 b Level=1', '2000 a Level=2']);
    expect(host.health()).toMatchObject({
      state: 'connected',
      reason: null,
      counters: { polls: 8, failures: 0, overruns: 0, reconnects: 0, samples: 3 },
    });
    await host.stop();
    expect(host.health().state).toBe('stopped');
  });

  it('never reads twice at the same time, and counts what a slow device misses', async () => {
    let running = 0;
    const { clock, host } = setUp(
      {
        read: async () => {
          expect(++running).toBe(1);
          await clock.sleep(350);
          running--;
          return level(1);
        },
      },
      [{ id: 'a', intervalMs: 100 }],
    );
    host.start();
    await clock.advance(1400);
    expect(host.health().counters).toMatchObject({ polls: 5, overruns: 10 });
    await host.stop();
  });

  it('puts a device offline after three failed reads, once, and online again with its values', async () => {
    let dead = false;
    const { clock, host, lines, log } = setUp(
      {
        read: async (deviceId) => {
          if (dead && deviceId === 'b') throw new Error('unit 2 says nothing');
          return level(deviceId === 'a' ? clock.monotonic() : 5);
        },
      },
      [
        { id: 'a', intervalMs: 1000 },
        { id: 'b', intervalMs: 1000 },
      ],
    );
    host.start();
    await clock.advance(1000);
    dead = true;
    await clock.advance(30_000);
    dead = false;
    await clock.advance(30_000);
    expect(lines.filter((line) => line.includes(' b '))).toEqual([
      '500 b online',
      '500 b Level=5',
      '3500 b offline: unit 2 says nothing',
      expect.stringMatching(/ b online$/),
      expect.stringMatching(/ b Level=5$/),
    ]);
    expect(lines.filter((line) => line.includes(' a Level')).length).toBe(62);
    expect(log).toEqual([
      'The connection is up.',
      'The device answers.',
      'The device answers.',
      'The device does not answer.',
      'The device answers.',
    ]);
    await host.stop();
  });

  it('lets dead devices take at most a tenth of the time of living ones', async () => {
    const lateness: number[] = [];
    const devices = ['a', 'b', 'c', 'd', 'e'].map((id) => ({ id, intervalMs: 1000 }));
    let last = 0;
    const { clock, host } = setUp(
      {
        read: async (deviceId) => {
          if (deviceId === 'a') {
            lateness.push(clock.monotonic() - last);
            last = clock.monotonic();
            return level(1);
          }
          await clock.sleep(900);
          throw new Error('no answer');
        },
      },
      devices,
    );
    host.start();
    await clock.advance(60_000);
    lateness.length = 0;
    await clock.advance(300_000);
    expect(Math.max(...lateness)).toBeLessThanOrEqual(1900);
    expect(lateness.length).toBeGreaterThanOrEqual(290);
    const { polls, failures } = host.health().counters;
    expect(polls - failures).toBeGreaterThan(340);
    expect(failures * 900).toBeLessThan(360_000 * 0.11 + 12 * 900);
    await host.stop();
  });

  it('makes a new connection when all devices are dead: the connection may be half open', async () => {
    let halfOpen = true;
    const { clock, host, lines, made, open } = setUp({
      read: async () => {
        if (!halfOpen) return level(1);
        await clock.sleep(500);
        throw new Error('no answer');
      },
    });
    host.start();
    await clock.advance(20_000);
    expect(made()).toBeGreaterThan(3);
    expect(open()).toBeLessThanOrEqual(1);
    expect(lines).toEqual(['2500 a offline: no answer']);
    halfOpen = false;
    await clock.advance(31_000);
    expect(lines.slice(1)).toEqual([expect.stringMatching(/ a online$/), expect.stringMatching(/ a Level=1$/)]);
    await host.stop();
    expect(open()).toBe(0);
  });

  it('gives up a driver that hangs, and one that hangs while closing', async () => {
    const { clock, host, made } = setUp({ read: () => new Promise(() => {}), close: () => new Promise(() => {}) });
    host.start();
    await clock.advance(60_000 + 5_000 + 600);
    expect(made()).toBe(2);
    const stopped = host.stop();
    await clock.advance(5_000);
    await stopped;
  });
});

describe('the host of any connection', () => {
  it('backs off from half a second to 30 s, says so once, and starts anew after success', async () => {
    const attempts: number[] = [];
    let refuse = true;
    let lose = false;
    const { clock, host, log, lines } = setUp({
      connect: async () => {
        attempts.push(clock.monotonic());
        if (refuse) throw new Error('connect ECONNREFUSED');
      },
      read: async () => {
        if (!lose) return level(1);
        lose = false;
        throw new ConnectionLostError('the device closed the connection');
      },
    });
    host.start();
    await clock.advance(120_000);
    const gaps = attempts.slice(1).map((at, i) => at - (attempts[i] ?? 0));
    expect(gaps).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
    expect(log).toEqual(['The connection is down; trying again.', 'The device does not answer.']);
    expect(lines).toEqual(['5000 a offline: connect ECONNREFUSED']);
    expect(host.health()).toMatchObject({ state: 'waiting', reason: 'connect ECONNREFUSED' });
    refuse = false;
    await clock.advance(31_000);
    expect(host.health()).toMatchObject({ state: 'connected', reason: null });
    const before = attempts.length;
    lose = true;
    await clock.advance(1000 + 500);
    expect(attempts.length).toBe(before + 1);
    expect(host.health().counters.reconnects).toBeGreaterThan(0);
    await host.stop();
  });

  it('keeps devices online through a loss that is shorter than the grace time', async () => {
    let lose = false;
    let refuse = false;
    const { clock, host, lines } = setUp({
      connect: async () => {
        if (refuse) throw new Error('refused');
      },
      read: async () => {
        if (!lose) return level(1);
        lose = false;
        throw new ConnectionLostError('reset');
      },
    });
    host.start();
    await clock.advance(1500);
    lose = true;
    await clock.advance(10_000);
    expect(lines).toEqual(['0 a online', '0 a Level=1']);
    lose = true;
    refuse = true;
    await clock.advance(10_000);
    expect(lines.slice(2)).toEqual([expect.stringMatching(/ a offline: refused$/)]);
    await host.stop();
  });

  it('waits no longer than its limit for a connection', async () => {
    const { clock, host, made, open } = setUp({ connect: () => new Promise(() => {}), read: async () => [] });
    host.start();
    await clock.advance(15_000 + 600);
    expect(made()).toBe(2);
    expect(open()).toBe(1);
    await host.stop();
    expect(open()).toBe(0);
  });

  it('stops at once in any state, any number of times, and is quiet afterwards', async () => {
    const idle = setUp({ read: async () => level(1) });
    await idle.host.stop();
    const { clock, host, lines, open } = setUp({ read: async () => level(clock.monotonic()) });
    host.start();
    host.start();
    await clock.advance(2500);
    await host.stop();
    await host.stop();
    const known = lines.length;
    await clock.advance(100_000);
    expect(lines.length).toBe(known);
    expect(open()).toBe(0);
  });
});

describe('the host of a subscribing connection', () => {
  it('reports notifications, repeats silent values, and starts anew when the connection is lost', async () => {
    let emit: (deviceId: string, readings: readonly Reading[]) => void = () => {};
    let lost: (error: Error) => void = () => {};
    const { clock, host, lines, made } = setUp({
      subscribe: async (emitNow, lostNow) => {
        emit = emitNow;
        lost = lostNow;
        emit('a', level(1, 1000));
      },
    });
    host.start();
    await clock.advance(10);
    emit('a', level(1, 1500));
    emit('a', level(2, 2000));
    emit('nobody', level(3));
    await clock.advance(70_000);
    expect(lines).toEqual(['0 a online', '0 a Level=1', '10 a Level=2', '61000 a Level=2']);
    const old = emit;
    lost(new Error('no sign of life'));
    old('a', level(777));
    await clock.advance(2000);
    expect(made()).toBe(2);
    old('a', level(777));
    emit('a', level(4));
    expect(lines.slice(4)).toEqual([expect.stringMatching(/ a Level=1$/), expect.stringMatching(/ a Level=4$/)]);
    await host.stop();
  });

  it('repeats no value that the new connection has not confirmed', async () => {
    let lost: (error: Error) => void = () => {};
    let connections = 0;
    const { clock, host, lines } = setUp({
      subscribe: async (emit, lostNow) => {
        lost = lostNow;
        if (connections++ === 0) emit('a', level(1));
      },
    });
    host.start();
    await clock.advance(58_500);
    lost(new Error('no sign of life'));
    await clock.advance(4_000);
    expect(lines).toEqual(['0 a online', '0 a Level=1']);
    await clock.advance(5_000);
    expect(lines.slice(2)).toEqual(['63500 a offline: no sign of life']);
    await host.stop();
  });

  it('treats a failed subscription like a failed connection', async () => {
    const { clock, host, made, open, lines } = setUp({
      subscribe: async () => {
        throw new Error('BadTooManySubscriptions');
      },
    });
    host.start();
    await clock.advance(6000);
    expect(made()).toBeGreaterThan(2);
    expect(open()).toBe(0);
    expect(lines).toEqual(['5000 a offline: BadTooManySubscriptions']);
    await host.stop();
  });
});
