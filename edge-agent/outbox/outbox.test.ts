import type { LogRecord } from '@nhip/core/log/log-bus';
import type { Env } from '@nhip/core/process/env';
import { silentLog } from '@nhip/core/process/log';
import { createSimClock } from '@nhip/core/process/simulation/sim-clock';
import { createSimDisk, type SimDisk } from '@nhip/core/process/simulation/sim-disk';
import { createSimRandom } from '@nhip/core/process/simulation/sim-random';
import type { Value } from '@nhip/core/wire/sample';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MetricDefinition, Reading } from '../driver.ts';
import { type Outbox, openOutbox } from './outbox.ts';
import { decodeOutboxRecord } from './record.ts';

const config = { maxBytes: 4_194_304, commitDelayMs: 0, maxRecordBytes: 2000 };
const definitions = new Map<string, MetricDefinition>([
  ['N', { name: 'N', dataType: 'Double' }],
  ['I', { name: 'I', dataType: 'Int32' }],
]);

let starts = 0;

/** Each start has its own randomness, as a real one has: a new stream gets a new id. */
function open(sim: SimDisk): Promise<Outbox> {
  const env: Env = { clock: createSimClock(), random: createSimRandom(++starts), disk: sim.boot() };
  return openOutbox(env, 'outbox', config, { log: silentLog(), onFatal: () => undefined });
}

function readings(...values: readonly Value[]): readonly Reading[] {
  return values.map((value) => ({ metric: 'N', value, timestampMs: 1000, quality: 192 }));
}

async function contents(outbox: Outbox) {
  const records: LogRecord[] = [];
  for (;;) {
    const next = (records.at(-1)?.index ?? -1) + 1;
    const more = await outbox.log.read(next, { maxRecords: 100, maxBytes: 100_000, waitMs: 0 });
    if (more.length === 0) break;
    records.push(...more);
  }
  return records.map(({ payload }) => {
    const { stream, seq, device, metrics } = decodeOutboxRecord(payload);
    return { stream: Buffer.from(stream).toString('hex'), seq, device, values: metrics.map(({ value }) => value) };
  });
}

describe('the outbox', () => {
  it('splits what is too large for one message, and loses only a single value that can never be sent', async () => {
    const outbox = await open(createSimDisk());
    const texts = ['a'.repeat(900), 'b'.repeat(900), 'c'.repeat(900), 'd'.repeat(3000), 'e'];
    const types = new Map<string, MetricDefinition>([['N', { name: 'N', dataType: 'String' }]]);
    await outbox.append('d', readings(...texts), types);
    await outbox.append('d', readings(...texts.slice(4)), types);
    const records = await contents(outbox);
    expect(records.flatMap(({ values }) => values)).toEqual([texts[0], texts[1], texts[2], 'e', 'e']);
    expect(records.flatMap(({ seq, values }) => values.map((_, i) => seq + i))).toEqual([0, 1, 2, 3, 4]);
    expect(outbox.counts()).toEqual({ recorded: 5, lost: 1 });
  });

  it('numbers samples without a gap, over devices and restarts', async () => {
    const sim = createSimDisk();
    const first = await open(sim);
    await Promise.all([first.append('d', readings(1, 2), definitions), first.append('e', readings(3), definitions)]);
    await first.close();
    const second = await open(sim);
    await second.append('d', readings(4), definitions);
    const records = await contents(second);
    expect(records.map(({ seq, device, values }) => [seq, device, values])).toEqual([
      [0, 'd', [1, 2]],
      [2, 'e', [3]],
      [3, 'd', [4]],
    ]);
    expect(new Set(records.map(({ stream }) => stream)).size).toBe(1);
    expect(second.counts()).toEqual({ recorded: 1, lost: 0 });
  });

  it('begins a new stream when the log is lost', async () => {
    const streams = [];
    for (const sim of [createSimDisk(), createSimDisk()]) {
      const outbox = await open(sim);
      await outbox.append('d', readings(1), definitions);
      streams.push(...(await contents(outbox)));
    }
    expect(streams.map(({ seq }) => seq)).toEqual([0, 0]);
    expect(streams[0]?.stream).not.toBe(streams[1]?.stream);
  });

  it('begins a new stream after a last record that it cannot read, and leaves older ones theirs', async () => {
    const sim = createSimDisk();
    const first = await open(sim);
    await first.append('d', readings(1), definitions);
    await first.log.append(Uint8Array.of(1, 2, 3));
    await first.close();
    const second = await open(sim);
    await second.append('d', readings(2), definitions);
    const found = [];
    for (const index of [0, 2]) {
      const [record] = await second.log.read(index, { maxRecords: 1, maxBytes: 1, waitMs: 0 });
      if (record !== undefined) found.push(decodeOutboxRecord(record.payload));
    }
    expect(found.map(({ seq }) => seq)).toEqual([0, 0]);
    expect(found[0]?.stream).not.toEqual(found[1]?.stream);
  });

  it('loses only the value that does not fit its type, never the process', async () => {
    const outbox = await open(createSimDisk());
    const mixed: readonly Reading[] = [
      { metric: 'I', value: 1.5, timestampMs: 1, quality: 192 },
      { metric: 'N', value: 2.5, timestampMs: 1, quality: 192 },
      { metric: 'I', value: 3, timestampMs: 1, quality: 192 },
    ];
    await outbox.append('d', mixed, definitions);
    await outbox.append('d', mixed.slice(0, 1), definitions);
    await outbox.append('d', readings(4), definitions);
    expect((await contents(outbox)).map(({ seq, values }) => [seq, values])).toEqual([
      [0, [2.5, 3]],
      [2, [4]],
    ]);
    expect(outbox.counts()).toEqual({ recorded: 3, lost: 2 });
  });

  it('keeps what it said it has, and never gives a number twice, over power cuts anywhere', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.integer({ min: 1, max: 40 }), fc.nat()), { minLength: 1, maxLength: 6 }), async (lives) => {
        const sim = createSimDisk();
        const promised: number[] = [];
        let value = 0;
        for (const [operations, seed] of lives) {
          const crashed = sim.crashAfter(operations, createSimRandom(seed));
          const life = async (): Promise<void> => {
            const outbox = await open(sim);
            for (let i = 0; i < 20; i++) {
              const mine = value++;
              await outbox.append('d', readings(mine), definitions);
              promised.push(mine);
            }
          };
          await Promise.race([crashed, life()]);
          sim.crash(createSimRandom(seed));
        }
        const records = await contents(await open(sim));
        expect(records.flatMap(({ values }) => values)).toEqual(expect.arrayContaining(promised));
        const used = records.map(({ stream, seq }) => `${stream} ${seq}`);
        expect(new Set(used).size).toBe(used.length);
      }),
      { numRuns: 60 },
    );
  });
});
