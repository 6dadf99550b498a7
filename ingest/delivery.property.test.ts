import type { LogBus } from '@nhip/core/log/log-bus';
import { openSegmentLog } from '@nhip/core/log/segment-log';
import { silentLog } from '@nhip/core/process/log';
import { createSimClock } from '@nhip/core/process/simulation/sim-clock';
import { createSimDisk } from '@nhip/core/process/simulation/sim-disk';
import { createSimRandom } from '@nhip/core/process/simulation/sim-random';
import { encodeReplay } from '@nhip/core/telemetry/dead-letter';
import { streamId } from '@nhip/core/telemetry/testing/messages';
import { decodeResend, outboxResendMetric, type ResendRequest } from '@nhip/core/wire/outbox-identity';
import { decodePayload } from '@nhip/core/wire/sparkplug/decode';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ingestConfig } from './config.ts';
import { listDeadLetters } from './dead-letters.ts';
import { createIngest, type Ingest } from './ingest.ts';
import { type Kind, ModelEdge, type Passage } from './testing/model-edge.ts';
import { createPlainStore, type PlainContent } from './testing/plain-store.ts';
import { ingestReader } from './work-writer.ts';

const passage = fc.constantFrom<Passage>('acknowledged', 'acknowledged', 'acknowledged', 'answerLost', 'half', 'lost');
const kind = fc.constantFrom<Kind>('good', 'good', 'good', 'good', 'notANumber', 'tooOld', 'tooOld', 'broken');
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('produce' as const), count: fc.integer({ min: 1, max: 6 }), kind }) },
  { weight: 10, arbitrary: fc.record({ do: fc.constant('send' as const), i: fc.nat(5), passage }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('report' as const), passage }) },
  { weight: 3, arbitrary: fc.constant({ do: 'evict' as const }) },
  { weight: 4, arbitrary: fc.constant({ do: 'tell' as const }) },
  { weight: 2, arbitrary: fc.constant({ do: 'answer' as const }) },
  { weight: 2, arbitrary: fc.constant({ do: 'born' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'forgetTail' as const }) },
  { weight: 4, arbitrary: fc.constant({ do: 'replay' as const }) },
  { weight: 3, arbitrary: fc.constant({ do: 'restart' as const }) },
  { weight: 3, arbitrary: fc.constant({ do: 'drain' as const }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('fail' as const), how: fc.constantFrom('before' as const, 'after' as const) }) },
  { weight: 2, arbitrary: fc.constant({ do: 'backUp' as const }) },
  { weight: 2, arbitrary: fc.constant({ do: 'restore' as const }) },
  { weight: 2, arbitrary: fc.constant({ do: 'loseLog' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'replaceOutbox' as const }) },
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

/** A server and an edge on a clock and a disk of their own. */
async function createWorld() {
  const clock = createSimClock(Date.UTC(2026, 4, 4, 8));
  const env = { clock, random: createSimRandom(7), disk: createSimDisk().boot() };
  const open = (dir: string) => openSegmentLog(env, dir, { commitDelayMs: 0, maxBytes: 1e8, readers: [ingestReader], log: silentLog() });
  let logs = 0;
  let logBus: LogBus = await open('log-0');
  const deadLetters = await open('dead-letters');
  const store = createPlainStore();
  let backup: PlainContent = store.content;
  const resends: ResendRequest[] = [];
  const edge = new ModelEdge(async (payload) => void (await logBus.append(payload)), clock.now);
  let ingest: Ingest;

  async function start(): Promise<void> {
    ingest = createIngest(ingestConfig.parse({ commitIntervalMs: 0 }), {
      clock: { ...clock, sleep: (_, signal) => clock.sleep(0, signal), after: clock.after },
      log: silentLog(),
      logBus,
      store,
      deadLetters,
      sendNodeCommand: (_, __, payload) => {
        for (const { name, value } of decodePayload(payload).metrics) {
          if (name === outboxResendMetric && value instanceof Uint8Array) resends.push(decodeResend(value));
        }
      },
    });
    await ingest.start();
  }

  async function drain(): Promise<void> {
    for (let turns = 0; ingest.checkpoint()?.nextIndex !== logBus.stats().nextIndex; turns++) {
      if (turns > 5000) throw new Error('ingest does not come to an end');
      await clock.advance(0);
    }
  }

  async function replayAll(): Promise<void> {
    for await (const letter of listDeadLetters(deadLetters)) await logBus.append(encodeReplay({ letter, force: true }, clock.now()));
  }

  async function run(action: Step): Promise<void> {
    switch (action.do) {
      case 'produce':
        return edge.produce(action.count, action.kind);
      case 'send':
        return edge.send(action.i, action.passage);
      case 'report':
        return edge.report(action.passage);
      case 'evict':
        return edge.evict();
      case 'answer':
        for (const request of resends.splice(0)) await edge.answer(request);
        return;
      case 'tell':
        return edge.tell();
      case 'born':
        return edge.born();
      case 'replaceOutbox':
        edge.replaceOutbox();
        return edge.born();
      case 'forgetTail':
        return edge.forgetTail();
      case 'replay':
        return replayAll();
      case 'drain':
        return drain();
      case 'fail':
        store.failures.push(action.how);
        return;
      case 'backUp':
        backup = store.content;
        return;
      case 'restart':
        await clock.drive(ingest.stop());
        return start();
      case 'restore':
        await clock.drive(ingest.stop());
        store.content = backup;
        return start();
      case 'loseLog':
        await clock.drive(ingest.stop());
        await logBus.close();
        logBus = await open(`log-${++logs}`);
        await start();
        return edge.born();
    }
  }

  await start();
  await edge.born();
  // A store that knows the edge: one that does not begins at the edge's mark.
  await drain();
  backup = store.content;

  return {
    edge,
    store,
    run,
    stats: () => ingest.stats(),
    /** The network heals and the edge goes on until everything has its end. */
    async settle(): Promise<void> {
      store.failures.length = 0;
      await edge.born();
      for (let round = 0; round < 50; round++) {
        while (!edge.isIdle) {
          await edge.send(0, 'acknowledged');
          await edge.report('acknowledged');
        }
        await clock.advance(700_000);
        await edge.tell();
        await drain();
        if (resends.length === 0) return;
        for (const request of resends.splice(0)) await edge.answer(request);
      }
      throw new Error('the edge is asked again and again');
    },
    async close(): Promise<void> {
      await clock.drive(ingest.stop());
      await logBus.close();
      await deadLetters.close();
    },
  };
}

function sum(losses: PlainContent['losses'], isDead: boolean): number {
  return losses.filter(({ reason }) => (reason === 'deadLettered') === isDead).reduce((all, { samples }) => all + samples, 0);
}

const runs = Number(process.env.NHIP_INGEST_RUNS ?? 60);

describe('the account of every number', () => {
  it('is exactly one: stored, lost or dead-lettered, whatever is lost, repeated, restarted or restored', { timeout: 600_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
        const world = await createWorld();
        try {
          for (const action of steps) await world.run(action);
          await world.settle();
          const values = world.store.content.rows.filter(({ metric }) => metric === 'A').map(({ v }) => Number(v));
          expect(new Set(values).size).toBe(values.length);
          for (const [stream, produced] of world.edge.produced) {
            const stored = values.filter((value) => Math.floor(value / 1_000_000) === stream).length;
            const losses = world.store.content.losses.filter((loss) => loss.stream === streamId(stream));
            const ends = { stream, stored, lost: sum(losses, false), dead: sum(losses, true) };
            const all = ends.stored + ends.lost + ends.dead;
            expect(ends.dead).toBeGreaterThanOrEqual(0);
            // Of an outbox that is gone nobody knows how far its numbers went.
            if (stream === world.edge.stream) expect({ ...ends, all }).toEqual({ ...ends, all: produced });
            else expect(all).toBeLessThanOrEqual(produced);
          }
        } finally {
          await world.close();
        }
      }),
      { numRuns: runs },
    );
  });
});
