import { RetryableError } from '@nhip/core/process/errors';
import { bdSeq, identity, identityDeclaration, sparkplug } from '@nhip/core/telemetry/testing/messages';
import { dataType } from '@nhip/core/wire/sparkplug/datatype';
import type { HistoryStore } from '@nhip/stores/history-store';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRig, stored } from './testing/rig.ts';

type Step =
  | { readonly do: 'send'; readonly seq: number; readonly count: number }
  | { readonly do: 'rebirth' }
  | { readonly do: 'stop' }
  | { readonly do: 'drain' }
  | { readonly do: 'fail'; readonly how: 'before' | 'after' };

const step: fc.Arbitrary<Step> = fc.oneof(
  { arbitrary: fc.record({ do: fc.constant('send' as const), seq: fc.nat(40), count: fc.integer({ min: 1, max: 8 }) }), weight: 8 },
  { arbitrary: fc.constant({ do: 'rebirth' as const }), weight: 1 },
  { arbitrary: fc.constant({ do: 'stop' as const }), weight: 2 },
  { arbitrary: fc.constant({ do: 'drain' as const }), weight: 1 },
  { arbitrary: fc.record({ do: fc.constant('fail' as const), how: fc.constantFrom('before' as const, 'after' as const) }), weight: 2 },
);

const births = [
  sparkplug(0, 'NBIRTH', '', 0, [bdSeq(0)]).payload,
  sparkplug(0, 'DBIRTH', 'd', undefined, [identityDeclaration(1), { name: 'A', alias: 2, dataType: dataType.Double, value: null }]).payload,
];

describe('ingest, over random schedules', () => {
  it('stores every number that was sent exactly once, whatever is sent again, stopped or failing', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
        const rig = await createRig();
        try {
          const failures: ('before' | 'after')[] = [];
          const store: HistoryStore = {
            ...rig.store,
            async write(write) {
              const how = failures.shift();
              if (how === 'before') throw new RetryableError('store.writeFailed', 'not written');
              await rig.store.write(write);
              if (how === 'after') throw new RetryableError('store.writeFailed', 'written, but the answer was lost');
            },
          };
          const clock = { ...rig.clock, sleep: (_: number, signal?: AbortSignal) => rig.clock.sleep(0, signal) };
          let ingest = await rig.start({ store, clock });
          const sent = new Set<number>();
          for (const payload of births) await rig.logBus.append(payload);
          for (const action of steps) {
            if (action.do === 'send') {
              const numbers = Array.from({ length: action.count }, (_, i) => action.seq + i);
              for (const n of numbers) sent.add(n);
              const metrics = [identity(1, 1, action.seq), ...numbers.map((value) => ({ alias: 2, value }))];
              await rig.logBus.append(sparkplug(0, 'DDATA', 'd', undefined, metrics).payload);
            } else if (action.do === 'rebirth') for (const payload of births) await rig.logBus.append(payload);
            else if (action.do === 'drain') await stored(ingest, rig.logBus);
            else if (action.do === 'fail') failures.push(action.how);
            else {
              await ingest.stop();
              ingest = await rig.start({ store, clock });
            }
          }
          await stored(ingest, rig.logBus);
          const { received, stored: written, repeated, deadLettered } = ingest.stats();
          await ingest.stop();
          const { v } = await rig.store.range({ machine: 'g/e/d', metric: 'A', fromMs: 0, toMs: 4e12, limit: 10_000 });
          const byNumber = (a: unknown, b: unknown) => Number(a) - Number(b);
          expect([...v].sort(byNumber)).toEqual([...sent].sort(byNumber));
          expect(written + repeated + deadLettered).toBe(received);
        } finally {
          await rig.close();
        }
      }),
      { numRuns: 15 },
    );
  });
});
