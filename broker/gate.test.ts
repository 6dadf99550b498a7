import type { LogBus } from '@nhip/core/log/log-bus';
import { RetryableError } from '@nhip/core/process/errors';
import { createNodeClock } from '@nhip/core/process/node-clock';
import { replayTopic } from '@nhip/core/telemetry/dead-letter';
import { describe, expect, it } from 'vitest';
import { createGate } from './gate.ts';

/** A gate before a log that takes or refuses what it is told to. */
function rig() {
  const appended: Uint8Array[] = [];
  const changes: (string | undefined)[] = [];
  const state = { isFull: false };
  const append = async (payload: Uint8Array) => {
    if (state.isFull) throw new RetryableError('log.quota', 'full');
    return appended.push(payload);
  };
  const counters = { received: 0, waiting: 0, unkept: 0, refused: 0, oversized: 0, authFailed: 0 };
  const gate = createGate({
    log: { append } as unknown as LogBus,
    clock: createNodeClock(),
    counters,
    refused: () => undefined,
    keepingChanged: (error) => changes.push(error?.message),
  });
  const publish = (topic = 'json/g/e/d', retain = false) => {
    const packet = { topic, payload: '1', retain };
    return new Promise<{ readonly error: Error | undefined; readonly retain: boolean }>((resolve) =>
      gate.pass('g/e', packet, (error) => resolve({ error, retain: packet.retain })),
    );
  };
  return { appended, changes, state, counters, publish };
}

describe('gate', () => {
  it('never lets telemetry be retained: it would come back as if it were new', async () => {
    const { publish, appended, counters } = rig();
    expect((await publish('json/g/e/d', true)).retain).toBe(false);
    expect([appended.length, counters.received]).toEqual([1, 1]);
  });

  it('refuses what the log does not keep, and says so once until it does again', async () => {
    const { publish, state, changes, counters } = rig();
    await publish();
    state.isFull = true;
    expect((await publish()).error).toMatchObject({ code: 'log.quota' });
    expect((await publish()).error).toMatchObject({ code: 'log.quota' });
    expect(changes).toEqual(['full']);
    state.isFull = false;
    expect((await publish()).error).toBeUndefined();
    expect(changes).toEqual(['full', undefined]);
    expect(counters.received).toBe(2);
  });

  it('lets nobody put dead letters back, or pretend to be the broker', async () => {
    const { publish, appended } = rig();
    for (const topic of [replayTopic, 'nhip/broker/started', 'nhip/store/refused']) expect((await publish(topic)).error).toBeDefined();
    expect(appended).toEqual([]);
  });
});
