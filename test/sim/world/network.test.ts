import { createSimClock } from '@nhip/core/process/simulation/sim-clock';
import { createSimRandom } from '@nhip/core/process/simulation/sim-random';
import { describe, expect, it } from 'vitest';
import { type CutKind, createPath } from './network.ts';

const keepaliveMs = 1000;

function setUp(seed = 1) {
  const clock = createSimClock();
  const path = createPath(clock, createSimRandom(seed), keepaliveMs);
  const { client, server } = path.connect<string, string>();
  const got: string[] = [];
  const closed: string[] = [];
  server.onMessage = (message) => void got.push(message);
  client.onClosed = (reason) => void closed.push(`client ${clock.monotonic()}: ${reason}`);
  server.onClosed = (reason) => void closed.push(`server ${clock.monotonic()}: ${reason}`);
  return { clock, path, client, server, got, closed };
}

const letters = ['a', 'b', 'c', 'd', 'e', 'f'];

describe('the simulated network', () => {
  it('delivers late and in order', async () => {
    const { clock, path, client, got } = setUp();
    path.jitterMs = 50;
    for (const letter of letters) client.send(letter);
    expect(got).toEqual([]);
    await clock.advance(100);
    expect(got).toEqual(letters);
  });

  it('tells the other side of a close after what was sent, and nobody of lost power before the keep alive', async () => {
    const closing = setUp();
    closing.client.send('a');
    closing.client.close();
    closing.client.send('b');
    await closing.clock.advance(100);
    expect(closing.got).toEqual(['a']);
    expect(closing.closed).toEqual([expect.stringMatching(/^server \d+: connection closed/)]);
    const vanishing = setUp();
    vanishing.client.vanish();
    await vanishing.clock.advance(keepaliveMs);
    expect(vanishing.closed).toEqual([]);
    await vanishing.clock.advance(keepaliveMs);
    expect(vanishing.closed).toEqual([expect.stringContaining('keep alive')]);
  });

  it.each<[CutKind, number]>([
    ['bothNotice', 2],
    ['clientNotices', 1],
    ['serverNotices', 1],
    ['nobodyNotices', 0],
  ])('cuts a connection so that %s, and what was under way arrives in part', async (how, noticed) => {
    const arrived = new Set<number>();
    for (let seed = 0; seed < 40; seed++) {
      const { clock, path, client, got, closed } = setUp(seed);
      for (const letter of letters) client.send(letter);
      path.cut(how);
      expect(closed).toHaveLength(noticed);
      expect(got).toEqual(letters.slice(0, got.length));
      arrived.add(got.length);
      await clock.advance(2 * keepaliveMs);
      expect(closed).toHaveLength(2);
    }
    expect(arrived.size).toBe(letters.length + 1);
  });

  it('holds packets back in silence; a longer one ends the connection', async () => {
    const short = setUp();
    short.path.silence(900);
    short.client.send('a');
    await short.clock.advance(899);
    expect(short.got).toEqual([]);
    await short.clock.advance(100);
    expect(short.got).toEqual(['a']);
    expect(short.closed).toEqual([]);
    const long = setUp();
    long.path.silence(10_000);
    await long.clock.advance(2000);
    expect(long.closed).toHaveLength(2);
  });

  it('forgets a connection that was given up before its first packet passed', async () => {
    const { clock, path, client, got, closed } = setUp();
    path.silence(500);
    client.send('a');
    await clock.advance(100);
    client.close();
    await clock.advance(10_000);
    expect(got).toEqual([]);
    expect(closed).toEqual([]);
  });

  it('loses one message and the connection with it', async () => {
    const { clock, path, server, client, closed } = setUp();
    const heard: string[] = [];
    client.onMessage = (message) => void heard.push(message);
    path.loseNext((message) => message === 'b');
    for (const letter of letters) server.send(letter);
    await clock.advance(100);
    expect(heard).not.toContain('b');
    expect(closed).toHaveLength(2);
  });
});
