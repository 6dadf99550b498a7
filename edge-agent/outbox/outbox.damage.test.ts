import { createSimDisk, type SimDisk } from '@nhip/core/process/simulation/sim-disk';
import { createSimRandom } from '@nhip/core/process/simulation/sim-random';
import { describe, expect, it } from 'vitest';
import { definitions, drainReports, openSimOutbox, readings, recordsFrom } from './testing/rig.ts';

const logFile = (sim: SimDisk): string => sim.files().find((name) => name.endsWith('.log')) ?? '';

/** Ten records of two samples each, then a clean stop. */
async function stopped(acknowledged: number) {
  const sim = createSimDisk();
  const { outbox } = await openSimOutbox(sim);
  for (let i = 0; i < 10; i++) await outbox.append('d', readings('N', i, i), definitions);
  const [record] = await recordsFrom(outbox);
  outbox.acks.acknowledge(0, acknowledged);
  await outbox.commitAcks();
  await outbox.close();
  return { sim, stream: record?.stream ?? '' };
}

describe('an outbox whose disk does damage', () => {
  it('knows the numbers of the very first record, too', async () => {
    const { sim, stream } = await stopped(0);
    sim.flipBit(logFile(sim), { next: () => 0, bytes: () => new Uint8Array(0) }, 80);
    const { outbox, clock } = await openSimOutbox(sim);
    expect((await recordsFrom(outbox))[0]?.index).toBe(1);
    await outbox.missing(0, 1);
    const damage = (await drainReports(outbox, clock)).filter(({ reason }) => reason === 'outboxDamaged');
    expect(damage).toMatchObject([{ stream, seqFrom: 0, seqTo: 2 }]);
  });

  it('counts nothing as missing that can be read, and leaves it to be sent', async () => {
    const { sim } = await stopped(0);
    sim.flipBit(logFile(sim), { next: () => 0, bytes: () => new Uint8Array(0) }, Math.floor(sim.content(logFile(sim)).length / 2));
    const { outbox, clock } = await openSimOutbox(sim);
    const there = (await recordsFrom(outbox)).map(({ index }) => index);
    expect(there).toHaveLength(9);
    await outbox.missing(0, 10);
    expect(there.filter((index) => outbox.acks.isAcknowledged(index))).toEqual([]);
    expect(outbox.acks.open(0, 10)).toHaveLength(2);
    expect(outbox.counts().lost).toBe(2);
    const damage = (await drainReports(outbox, clock)).filter(({ reason }) => reason === 'outboxDamaged');
    const [before] = outbox.acks.open(0, 10);
    expect(damage).toMatchObject([{ seqFrom: 2 * (before?.[1] ?? 0), seqTo: 2 * (before?.[1] ?? 0) + 2 }]);
  });

  it('counts records that were cut off with a damaged end, and never gives their numbers again', async () => {
    const { sim, stream } = await stopped(3);
    const path = logFile(sim);
    const file = await sim.boot().open(path, 'write');
    await file.truncate(Math.floor(sim.content(path).length / 2));
    const { outbox, clock } = await openSimOutbox(sim);
    const end = (await recordsFrom(outbox)).at(-1)?.end ?? 0;
    expect(end).toBeLessThan(14);
    await outbox.append('d', readings('N', 99), definitions);
    expect((await recordsFrom(outbox)).at(-1)).toMatchObject({ stream, seq: 20 });
    const damage = (await drainReports(outbox, clock)).filter(({ reason }) => reason === 'outboxDamaged');
    expect(damage).toMatchObject([{ stream, seqFrom: end, seqTo: 20 }]);
  });

  it('tells what is gone with its log, from where it was acknowledged, and begins a new stream', async () => {
    const { sim, stream } = await stopped(3);
    const disk = sim.boot();
    for (const name of sim.files().filter((path) => path.startsWith('outbox/log/'))) await disk.unlink(name);
    const { outbox, clock } = await openSimOutbox(sim);
    expect(await outbox.released()).toEqual({ stream, seq: 6 });
    await outbox.append('d', readings('N', 99), definitions);
    const [record] = await recordsFrom(outbox);
    expect(record?.seq).toBe(0);
    expect(record?.stream).not.toBe(stream);
    const damage = (await drainReports(outbox, clock)).filter(({ reason }) => reason === 'outboxDamaged');
    expect(damage).toMatchObject([{ stream, seqFrom: 6, seqTo: 20 }]);
    expect(await outbox.released()).toEqual({ stream: record?.stream, seq: 0 });
  });

  it('loses nothing that was acknowledged when only an empty segment is left', async () => {
    const { sim, stream } = await stopped(10);
    const path = logFile(sim);
    const file = await sim.boot().open(path, 'write');
    await file.truncate(64);
    const { outbox, clock } = await openSimOutbox(sim);
    await outbox.append('d', readings('N', 99), definitions);
    expect((await recordsFrom(outbox)).at(-1)).toMatchObject({ stream, seq: 20 });
    expect((await drainReports(outbox, clock)).map(({ reason }) => reason)).toEqual(['agentDown']);
  });

  it('begins a new stream when the ledger cannot be read', async () => {
    const { sim, stream } = await stopped(0);
    const random = createSimRandom(1);
    for (let i = 0; i < 400; i++) sim.flipBit('outbox/losses', random);
    const { outbox } = await openSimOutbox(sim);
    await outbox.append('d', readings('N', 99), definitions);
    const records = await recordsFrom(outbox);
    expect(records.at(-1)?.stream).not.toBe(stream);
    expect(await outbox.released()).toEqual({ stream, seq: 0 });
  });
});
