import { describe, expect, it } from 'vitest';
import { createLink, createRig } from './testing/rig.ts';

const holdMs = 15_000;

describe('the rolling history of a strict session', () => {
  it('releases a record when it was sent so long ago, and makes room in the window at once', async () => {
    const { clock, append, publisher } = await createRig({ window: 3, holdMs });
    const { link, sent, end } = createLink();
    const running = publisher.run(link);
    for (let i = 0; i < 6; i++) await append(i);
    await clock.advance(5);
    expect(sent).toHaveLength(3);
    for (const message of sent.slice()) message.acknowledge();
    await clock.advance(5);
    expect(sent).toHaveLength(6);
    await clock.advance(holdMs - 100);
    expect(publisher.pendingRecords()).toBe(6);
    await clock.advance(3000);
    expect(publisher.pendingRecords()).toBe(3);
    end();
    await clock.drive(running);
  });

  it('sends again, as historical, what was sent within that time before the session ended', async () => {
    const { clock, append, publisher } = await createRig({ holdMs });
    const first = createLink();
    const running = publisher.run(first.link);
    await append(0);
    await clock.advance(5);
    first.sent[0]?.acknowledge();
    await clock.advance(holdMs);
    await append(1);
    await append(2);
    await clock.advance(5);
    for (const message of first.sent.slice(1)) message.acknowledge();
    await clock.advance(2000);
    first.end();
    await clock.drive(running);
    await clock.advance(10 * holdMs);
    const second = createLink();
    const again = publisher.run(second.link);
    await clock.advance(20);
    expect(second.sent.map(({ seq, isHistorical }) => [seq, isHistorical])).toEqual([
      [1, true],
      [2, true],
    ]);
    second.end();
    await clock.drive(again);
  });

  it('releases nothing on a connection that answers no ping, however long nobody notices', async () => {
    const { clock, append, publisher } = await createRig({ holdMs });
    const { link, sent, die, end } = createLink();
    const running = publisher.run(link);
    await append(0);
    await clock.advance(5);
    sent[0]?.acknowledge();
    await clock.advance(5);
    die();
    await clock.advance(10 * holdMs);
    expect(publisher.pendingRecords()).toBe(1);
    end();
    await clock.drive(running);
  });
});
