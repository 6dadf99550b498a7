import type { LogBus } from '@nhip/core/log/log-bus';
import { createNodeClock } from '@nhip/core/process/node-clock';
import { describe, expect, it } from 'vitest';
import { createGate } from './gate.ts';

describe('gate', () => {
  it('never lets telemetry be retained: it would come back as if it were new', async () => {
    const appended: Uint8Array[] = [];
    const log = { append: async (payload: Uint8Array) => appended.push(payload) } as unknown as LogBus;
    const counters = { received: 0, refused: 0, oversized: 0, authFailed: 0 };
    const gate = createGate({ log, clock: createNodeClock(), counters, refused: () => undefined });
    const packet = { topic: 'json/g/e/d', payload: '1', retain: true };
    await new Promise<void>((resolve) => gate.pass('g/e', packet, () => resolve()));
    expect([packet.retain, appended.length, counters.received]).toEqual([false, 1, 1]);
  });
});
