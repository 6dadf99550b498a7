import { type Log, silentLog } from '@nhip/core/process/log';
import { describe, expect, it } from 'vitest';
import { followPrimaryHost } from './primary-host.ts';

function follow() {
  const offline: boolean[] = [];
  const refused: unknown[] = [];
  const log: Log = Object.assign(silentLog(), { warn: (fields: unknown) => refused.push(fields) });
  const host = followPrimaryHost('main', log, (wasOnline) => offline.push(wasOnline));
  const seen = { isOnline: false };
  void host.online.then(() => {
    seen.isOnline = true;
  });
  return {
    offline,
    refused,
    async take(text: string) {
      host.take(new TextEncoder().encode(text));
      await Promise.resolve();
      return seen.isOnline;
    },
  };
}

describe('the primary host', () => {
  it('is online at the first valid message, and offline at one that is not older', async () => {
    const { take, offline } = follow();
    expect(await take('{"online":false,"timestamp":5}')).toBe(false);
    expect(await take('{"online":true,"timestamp":4}')).toBe(false);
    expect(await take('{"online":true,"timestamp":5}')).toBe(true);
    await take('{"online":false,"timestamp":4}');
    expect(offline).toEqual([false]);
    await take('{"online":false,"timestamp":5}');
    expect(offline).toEqual([false, true]);
  });

  it('does not take what hosts of Sparkplug 2.2 say, and says so once', async () => {
    const { take, refused } = follow();
    expect(await take('ONLINE')).toBe(false);
    expect(await take('ONLINE')).toBe(false);
    expect(await take('')).toBe(false);
    expect(refused).toHaveLength(1);
  });
});
