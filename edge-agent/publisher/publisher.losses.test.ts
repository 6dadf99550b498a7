import { describe, expect, it } from 'vitest';
import { publisherReader } from '../outbox/outbox.ts';
import { createLink, createRig } from './testing/rig.ts';

/** The bit that `flipBit` hits is the first one at or after its byte. */
const firstBit = { next: () => 0, bytes: () => new Uint8Array(0) };

describe('the publisher and losses', () => {
  it('reports what the quota took, and has it done with when the report is acknowledged', async () => {
    const { clock, append, publisher, outbox } = await createRig({ maxBytes: 20_000 });
    for (let i = 0; i < 500; i++) await append(i);
    const pending = publisher.pendingRecords();
    expect(pending).toBeLessThan(500);
    const { link, sent, reports, end } = createLink();
    const running = publisher.run(link);
    await clock.advance(20);
    expect(reports).toMatchObject([{ reason: 'outboxQuota', seqFrom: 0, seqTo: 500 - pending }]);
    expect(sent[0]?.seq).toBe(500 - pending);
    await clock.advance(4000);
    expect((await outbox().released())?.seq).toBe(500 - pending);
    end();
    await clock.drive(running);
  });

  it('reports again in the next session what was not acknowledged in this one', async () => {
    const { clock, append, publisher } = await createRig({ maxBytes: 20_000 });
    for (let i = 0; i < 500; i++) await append(i);
    const first = createLink();
    first.holdReports();
    const running = publisher.run(first.link);
    await clock.advance(20_000);
    expect(first.reports).toHaveLength(1);
    first.end();
    await clock.advance(0);
    await clock.drive(running);
    const second = createLink();
    const again = publisher.run(second.link);
    await clock.advance(10);
    expect(second.reports[0]).toEqual(first.reports[0]);
    second.end();
    await clock.drive(again);
  });

  it('does not wait for records that are damaged: they are counted by their numbers', async () => {
    const { clock, sim, append, publisher, outbox } = await createRig();
    for (let i = 0; i < 6; i++) await append(i);
    const path = sim.files().find((name) => name.endsWith('.log')) ?? '';
    const size = sim.content(path).length;
    sim.flipBit(path, firstBit, Math.floor(size / 2));
    const { link, sent, reports, end } = createLink();
    const running = publisher.run(link);
    await clock.advance(20);
    for (const { acknowledge } of sent) acknowledge();
    await clock.advance(7000);
    for (const { acknowledge } of sent) acknowledge();
    await clock.advance(7000);
    expect(publisher.pendingRecords()).toBe(0);
    expect(publisher.counts()).toEqual({ published: 5, inFlight: 0 });
    const missing = [0, 1, 2, 3, 4, 5].filter((seq) => !sent.some((message) => message.seq === seq));
    expect(reports).toMatchObject([{ reason: 'outboxDamaged', seqFrom: missing[0], seqTo: (missing[0] ?? 0) + 1 }]);
    expect(outbox().log.cursor(publisherReader)).toBe(6);
    end();
    await clock.drive(running);
  });

  it('sends acknowledged numbers again when the server asks, without taking them for new', async () => {
    const { clock, append, publisher, outbox } = await createRig();
    const { link, sent, end } = createLink();
    const running = publisher.run(link);
    for (let i = 0; i < 6; i++) await append(i);
    await clock.advance(20);
    for (const { acknowledge } of sent) acknowledge();
    await clock.advance(2000);
    const released = await outbox().released();
    expect(released?.seq).toBe(6);
    sent.length = 0;
    publisher.resend({ stream: released?.stream ?? '', from: 2, to: 4 });
    await clock.advance(20);
    expect(sent.map(({ seq, isHistorical }) => [seq, isHistorical])).toEqual([
      [2, true],
      [3, true],
    ]);
    expect(publisher.pendingRecords()).toBe(0);
    expect((await outbox().released())?.seq).toBe(6);
    end();
    await clock.drive(running);
  });

  it('serves a bounded number of requests, one after the other, and forgets them with the session', async () => {
    const { clock, append, publisher, outbox } = await createRig({ window: 2 });
    const first = createLink();
    const running = publisher.run(first.link);
    for (let i = 0; i < 2; i++) await append(i);
    await clock.advance(20);
    for (const { acknowledge } of first.sent) acknowledge();
    await clock.advance(20);
    const stream = (await outbox().released())?.stream ?? '';
    for (let i = 0; i < 1000; i++) publisher.resend({ stream, from: 0, to: 1 });
    let answered = 0;
    for (let i = 0; i < 200; i++) {
      for (const { acknowledge } of first.sent.splice(0)) {
        acknowledge();
        answered++;
      }
      await clock.advance(1);
    }
    expect(answered).toBeLessThan(70);
    publisher.resend({ stream, from: 0, to: 2 });
    first.end();
    await clock.drive(running);
    const second = createLink();
    const again = publisher.run(second.link);
    await clock.advance(100);
    expect(second.sent).toEqual([]);
    second.end();
    await clock.drive(again);
  });

  it('gives the backlog no more than half of the window, so that live samples never wait for it', async () => {
    const { clock, append, publisher } = await createRig({ window: 6 });
    for (let i = 0; i < 100; i++) await append(i);
    const { link, sent, end } = createLink();
    const running = publisher.run(link);
    await clock.advance(100);
    expect(sent.map(({ seq }) => seq)).toEqual([0, 1, 2]);
    await append(100);
    await append(101);
    await clock.advance(0);
    expect(sent.map(({ seq, isHistorical }) => [seq, isHistorical])).toEqual([
      [0, true],
      [1, true],
      [2, true],
      [100, false],
      [101, false],
    ]);
    sent[0]?.acknowledge();
    await clock.advance(0);
    expect(sent.at(-1)?.seq).toBe(3);
    end();
    await clock.drive(running);
  });
});
