import { createSimClock, type SimClock } from '@nhip/core/process/simulation/sim-clock';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { level, recordingSink, type Script, scriptedPlugin } from '../testing/scripted-driver.ts';
import { createConnectionHost } from './connection-host.ts';

/** What is said of devices when a host starts: nothing before they were asked. */

function setUp(script: (clock: SimClock) => Script, ids: readonly string[]) {
  const clock = createSimClock(0);
  const sink = recordingSink(() => clock.monotonic());
  const said: string[] = [];
  const log = pino({ base: null, timestamp: false }, { write: (line: string) => said.push(JSON.parse(line).msg) });
  const random = { next: () => 0, bytes: (count: number) => new Uint8Array(count) };
  const { plugin } = scriptedPlugin(script(clock));
  const devices = ids.map((id) => ({ id, intervalMs: 1000 }));
  const host = createConnectionHost(plugin, { id: 'line', driver: 'scripted', devices }, sink, {
    clock,
    random,
    log,
    stateDir: '/nonexistent',
  });
  host.start();
  return { clock, host, said, lines: sink.lines };
}

describe('a device at the start', () => {
  it('that is slow to be asked, because others before it are slow, is not called silent', async () => {
    const { clock, host, lines, said } = setUp(
      () => ({
        read: async () => {
          await clock.sleep(4000);
          return level(1);
        },
      }),
      ['a', 'b', 'c'],
    );
    await clock.advance(11_999);
    expect(lines).toEqual(['4000 a online', '4000 a Level=1', '8000 b online', '8000 b Level=1']);
    await clock.advance(1);
    expect(lines.slice(4)).toEqual(['12000 c online', '12000 c Level=1']);
    expect(said).not.toContain('The device does not answer.');
    await host.stop();
  });

  it('goes offline at its first failure once its time is over, and not for each failure', async () => {
    const { clock, host, lines } = setUp(
      () => ({
        read: async (id) => {
          await clock.sleep(4000);
          if (id === 'c') throw new Error('unit 3 says nothing');
          return level(1);
        },
      }),
      ['a', 'b', 'c'],
    );
    await clock.advance(60_000);
    expect(lines.filter((line) => line.includes(' c '))).toEqual(['12000 c offline: unit 3 says nothing']);
    await host.stop();
  });

  it('that was asked in vain goes offline when its time is over', async () => {
    const { clock, host, lines } = setUp(
      () => ({
        read: async (id) => {
          if (id === 'a') return level(1);
          await clock.sleep(2100);
          throw new Error('unit 2 says nothing');
        },
      }),
      ['a', 'b'],
    );
    await clock.advance(60_000);
    expect(lines.filter((line) => line.includes(' b '))).toEqual(['5000 b offline: the device has not answered yet']);
    await host.stop();
  });

  it('of a connection that is not there goes offline when its time is over', async () => {
    const { clock, host, lines } = setUp(() => ({ connect: () => new Promise(() => {}), read: async () => level(1) }), ['a']);
    await clock.advance(5000);
    expect(lines).toEqual(['5000 a offline: the connection is not up yet']);
    await host.stop();
  });

  it('is reached when its configuration lets connecting take longer than the host would wait', async () => {
    const { clock, host, lines } = setUp(
      (clock) => ({ connectExtraMs: 16_000, connect: (signal) => clock.sleep(30_999, signal), read: async () => level(1) }),
      ['a'],
    );
    await clock.advance(31_000);
    expect(lines.slice(1)).toEqual(['30999 a online', '30999 a Level=1']);
    await host.stop();
  });

  it('that is subscribed to late is not called silent before that, and is when it says nothing then', async () => {
    const { clock, host, lines } = setUp(
      () => ({
        subscribe: async (emit) => {
          await clock.sleep(8000);
          emit('a', level(1));
        },
      }),
      ['a', 'b'],
    );
    await clock.advance(8500);
    expect(lines).toEqual(['8000 a online', '8000 a Level=1']);
    await clock.advance(600);
    expect(lines.slice(2)).toEqual(['9000 b offline: it has said nothing since it was subscribed to']);
    await host.stop();
  });
});
