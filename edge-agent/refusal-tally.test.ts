import { createSimClock } from '@nhip/core/process/simulation/sim-clock';
import { describe, expect, it } from 'vitest';
import { createRefusalTally, maxKinds, type RefusalLine } from './refusal-tally.ts';

function setUp() {
  const clock = createSimClock(0);
  const lines: RefusalLine[] = [];
  const tally = createRefusalTally(clock, (line) => lines.push(line));
  const refuse = (metric: string, value: number | string, reason = `${value} is above 10`): void =>
    tally.add({ deviceId: 'd', metric, value, reason, timestampMs: clock.now() });
  return { clock, lines, tally, refuse };
}

describe('the tally of refusals', () => {
  it('keeps the first at once, and what follows within a minute as one line, whatever the value', async () => {
    const { clock, lines, refuse } = setUp();
    for (let i = 0; i < 1000; i++) {
      refuse('Speed', 11 + i);
      await clock.advance(10);
    }
    refuse('Speed', 'fast', 'the value is no Int16');
    expect(lines.map(({ value, more }) => [value, more])).toEqual([
      [11, undefined],
      ['fast', undefined],
    ]);
    await clock.advance(60_000);
    expect(lines).toHaveLength(3);
    expect(lines[2]).toEqual({
      ...{ deviceId: 'd', metric: 'Speed', value: 1010, reason: '1010 is above 10', timestampMs: 9990 },
      more: { count: 999, sinceMs: 10 },
    });
    refuse('Speed', 11);
    expect(lines).toHaveLength(4);
  });

  it('is bounded: of invented names only the number is kept', async () => {
    const { clock, lines, refuse } = setUp();
    for (let i = 0; i < 10_000; i++) refuse(`Metric ${i}`, 1, 'the device has no such metric');
    expect(lines).toHaveLength(maxKinds);
    await clock.advance(60_000);
    expect(lines.slice(maxKinds)).toEqual([
      { deviceId: '*', reason: 'refusals of many kinds', timestampMs: 0, more: { count: 10_000 - maxKinds, sinceMs: 0 } },
    ]);
  });

  it('cuts long texts, and keeps what it counted when it is closed', () => {
    const { lines, tally, refuse } = setUp();
    const long = 'x'.repeat(100_000);
    refuse('Recipe', long, `"${long}" is none of a, b`);
    refuse('Recipe', long, `"${long}" is none of a, b`);
    tally.close();
    expect(lines.map(({ value, reason, more }) => [String(value).length, reason.length, more?.count])).toEqual([
      [200, 200, undefined],
      [200, 200, 1],
    ]);
  });
});
