import { ConfigError } from '@nhip/core/process/errors';
import { createSimClock } from '@nhip/core/process/simulation/sim-clock';
import { createSimRandom } from '@nhip/core/process/simulation/sim-random';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { ConnectionLostError, type Driver, type DriverPlugin, type Reading, type WriteAttempt } from '../driver.ts';
import { level, recordingSink, type Script, scriptedPlugin } from '../testing/scripted-driver.ts';
import { createConnectionHost } from './connection-host.ts';

type Write = NonNullable<Driver['write']>;
const never = new AbortController().signal;
const setpoint = { metric: 'Level', value: 7 };

function setUp(script: Script, write: Write | undefined, isWritable = true, ids: readonly string[] = ['a']) {
  const clock = createSimClock(0);
  const scripted = scriptedPlugin(script);
  const attempts: WriteAttempt[] = [];
  const recording = recordingSink(() => clock.monotonic());
  const plugin: DriverPlugin = {
    ...scripted.plugin,
    metrics: () => [{ name: 'Level', dataType: 'Double', isWritable }],
    load: async () => {
      const module = await scripted.plugin.load();
      return {
        create: (config, deps) => {
          const driver = module.create(config, deps);
          return write === undefined ? driver : { ...driver, write };
        },
      };
    },
  };
  const host = createConnectionHost(
    plugin,
    { id: 'line', driver: 'scripted', devices: ids.map((id) => ({ id, intervalMs: 1000 })) },
    { ...recording, wrote: (attempt) => attempts.push(attempt) },
    { clock, random: createSimRandom(1), log: pino({ level: 'silent' }), stateDir: '/nonexistent' },
  );
  host.start();
  return { clock, host, attempts, lines: recording.lines, made: scripted.made };
}

/** A machine whose value is `level`; asks whether two calls are ever under way at once. */
function machine(sleep: (ms: number) => Promise<void>) {
  let level = 1;
  let calls = 0;
  const alone = async <T>(work: () => T): Promise<T> => {
    expect(++calls, 'calls at once').toBe(1);
    await sleep(100);
    calls--;
    return work();
  };
  const reading = (): Reading => ({ metric: 'Level', value: level, timestampMs: 0, quality: 192 });
  const write: Write = (_, { value }) =>
    alone(() => {
      level = Number(value);
      return reading();
    });
  return { read: () => alone(() => [reading()]), write };
}

describe('writing through the host', () => {
  it('happens between reads, and what the machine says afterwards is reported', async () => {
    const sleeper: { sleep(ms: number): Promise<void> } = { sleep: () => Promise.resolve() };
    const plc = machine((ms) => sleeper.sleep(ms));
    const { clock, host, attempts, lines } = setUp({ read: plc.read }, plc.write);
    sleeper.sleep = (ms) => clock.sleep(ms);
    await clock.advance(1050);
    const writes = [7, 8, 9].map((value) => host.write('a', { metric: 'Level', value }, never));
    await clock.advance(5000);
    expect((await Promise.all(writes)).map(({ value }) => value)).toEqual([7, 8, 9]);
    expect(lines.filter((line) => line.includes('Level'))).toEqual(['100 a Level=1', '1200 a Level=7', '1300 a Level=8', '1400 a Level=9']);
    expect(attempts.map(({ outcome, readBack }) => [outcome, readBack?.value])).toEqual([
      ['written', 7],
      ['written', 8],
      ['written', 9],
    ]);
    expect(host.health().cycleMs).toEqual({ last: 100, max: 100 });
    await host.stop();
  });

  it('is refused, and the refusal is on record, when it cannot be', async () => {
    const read = async () => level(1);
    const failing = async (of: ReturnType<typeof setUp>, device = 'a', metric = 'Level') => {
      await of.clock.advance(10);
      return of.host.write(device, { metric, value: 1 }, never).catch((error: { code?: string; message: string }) => error);
    };
    const write: Write = async () => level(1)[0] as Reading;
    const fine = setUp({ read }, write);
    expect(await failing(fine, 'b')).toMatchObject({ code: 'write.refused' });
    expect(await failing(fine, 'a', 'Speed')).toMatchObject({ code: 'write.refused' });
    expect(fine.attempts.map(({ outcome }) => outcome)).toEqual(['refused', 'refused']);
    expect(await failing(setUp({ read }, write, false))).toMatchObject({
      code: 'write.refused',
      message: expect.stringContaining('not writable'),
    });
    expect(await failing(setUp({ read }, undefined))).toMatchObject({
      code: 'write.refused',
      message: expect.stringContaining('cannot write'),
    });
    const dead = setUp({ read: () => Promise.reject(new Error('no answer')) }, write);
    expect(await failing(dead)).toMatchObject({ code: 'write.offline' });
    const down = setUp({ connect: () => Promise.reject(new Error('refused')), read }, write);
    expect(await failing(down)).toMatchObject({ code: 'write.offline' });
    await fine.host.stop();
    expect(await failing(fine)).toMatchObject({ code: 'write.offline' });
  });

  it('says whether something may have been sent when it fails', async () => {
    const errors = [new ConfigError('a', ['Level: 7 does not fit']), new Error('exception 4')];
    const { clock, host, attempts } = setUp({ read: async () => level(1) }, () => Promise.reject(errors.shift()));
    await clock.advance(10);
    await expect(host.write('a', setpoint, never)).rejects.toThrow('does not fit');
    await expect(host.write('a', setpoint, never)).rejects.toThrow('exception 4');
    expect(attempts.map(({ outcome }) => outcome)).toEqual(['refused', 'failed']);
    await host.stop();
  });

  it('that hangs costs the connection, not the agent; those behind it are refused', async () => {
    const { clock, host, attempts, made } = setUp({ read: async () => level(1) }, () => new Promise(() => {}));
    await clock.advance(10);
    const results = [1, 2].map((value) => host.write('a', { metric: 'Level', value }, never).catch((error: unknown) => error));
    await clock.advance(31_000);
    expect((await results[0]) instanceof ConnectionLostError).toBe(true);
    await results[1];
    expect(attempts.map(({ outcome }) => outcome)).toEqual(['failed', 'refused']);
    expect(made()).toBe(2);
    expect(host.health().state).toBe('connected');
    await host.stop();
  });

  it('is bounded in how many wait, and given up by who asked for it', async () => {
    const { clock, host } = setUp({ read: async () => level(1) }, () => new Promise(() => {}));
    await clock.advance(10);
    const patience = new AbortController();
    const waiting = Array.from({ length: 17 }, () => host.write('a', setpoint, patience.signal).catch((error: { code?: string }) => error));
    expect(await waiting[16]).toMatchObject({ code: 'write.busy' });
    patience.abort(new Error('enough'));
    await clock.advance(31_000);
    expect(await waiting[5]).toMatchObject({ message: 'enough' });
    await host.stop();
  });

  it('works on a subscribing connection', async () => {
    const { clock, host, lines } = setUp({ subscribe: async (emit) => emit('a', level(1)) }, async () => level(7)[0] as Reading);
    await clock.advance(10);
    expect((await host.write('a', setpoint, never)).value).toBe(7);
    expect(lines).toEqual(['0 a online', '0 a Level=1', '10 a Level=7']);
    await host.stop();
  });
});

describe('devices of one connection', () => {
  it.each([
    ['slow', 800],
    ['dead', 800],
  ])('a %s one delays the others by no more than its own time', async (kind, tookMs) => {
    const late: number[] = [];
    const lastAt = new Map<string, number>();
    const ids = ['a', 'b', 'c', 'd'];
    const box: { sleep(ms: number): Promise<void>; now(): number } = { sleep: async () => {}, now: () => 0 };
    const { clock, host } = setUp(
      {
        read: async (id) => {
          if (id === 'd') {
            await box.sleep(tookMs);
            if (kind === 'dead') throw new Error('no answer');
            return level(1);
          }
          const before = lastAt.get(id);
          if (before !== undefined) late.push(box.now() - before - 1000);
          lastAt.set(id, box.now());
          return level(1);
        },
      },
      undefined,
      true,
      ids,
    );
    Object.assign(box, { sleep: (ms: number) => clock.sleep(ms), now: () => clock.monotonic() });
    await clock.advance(120_000);
    expect(late.length).toBeGreaterThan(340);
    expect(Math.max(...late)).toBeLessThanOrEqual(tookMs);
    const { devices } = host.health();
    expect(devices.map(({ state }) => state)).toEqual(['online', 'online', 'online', kind === 'dead' ? 'offline' : 'online']);
    expect(devices.find(({ id }) => id === 'd')?.cycleMs).toEqual(kind === 'dead' ? null : { last: 800, max: 800 });
    expect(devices.slice(0, 3).map(({ overruns }) => overruns)).toEqual([0, 0, 0]);
    await host.stop();
  });
});
