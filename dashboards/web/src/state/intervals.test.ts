import type { StateInterval } from '@nhip/core/wire/live';
import { connections, machineStates } from '@nhip/core/wire/vocabulary';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Current, clipped, extended, stripPaths, totals } from './intervals.ts';
import { isMeter, lacksReason, lookOf, severity } from './look.ts';

const interval = (from: number, to: number, state: StateInterval['state']): StateInterval => ({ from, to, state, reason: null });
const contiguous = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 500 }), fc.constantFrom(...machineStates)), { maxLength: 60 })
  .map((parts) => {
    let at = 0;
    return parts.map(([length, state]) => {
      at += length;
      return interval(at - length, at, state);
    });
  });

/** What the feed says of a machine that is reached and has just been heard of. */
const live = (state: StateInterval['state'], since: number | null, more: Partial<Current> = {}): Current => ({
  state,
  since,
  reason: null,
  connection: 'online',
  lastSample: Number.MAX_SAFE_INTEGER,
  ...more,
});

describe('extended', () => {
  it('puts the current state after what was fetched', () => {
    const fetched = [interval(0, 50, 'running'), interval(50, 80, 'idle')];
    expect(extended(fetched, live('fault', 90, { reason: 'x' }), 10, 100)).toEqual([
      interval(10, 50, 'running'),
      interval(50, 90, 'idle'),
      { from: 90, to: 100, state: 'fault', reason: 'x' },
    ]);
  });

  it('keeps time without data although the state is the same before and after it', () => {
    const fetched = [interval(0, 50, 'running'), interval(50, 90, 'unknown'), interval(90, 95, 'running')];
    expect(extended(fetched, live('running', 0), 0, 100)).toEqual([...fetched.slice(0, 2), interval(90, 100, 'running')]);
    expect(extended(fetched.slice(0, 2), live('running', 0), 0, 100)).toEqual([...fetched.slice(0, 2), interval(90, 100, 'running')]);
  });

  it('tells nothing of the time since the answer while the machine is not reached', () => {
    const lost = live('running', 0, { connection: 'plcUnreachable', reason: 'x' });
    expect(extended([interval(0, 80, 'running')], lost, 0, 100)).toEqual([interval(0, 80, 'running'), interval(80, 100, 'unknown')]);
    const changed = live('idle', 70, { connection: 'agentOffline' });
    expect(extended([interval(0, 80, 'running')], changed, 0, 100)).toEqual([interval(0, 70, 'running'), interval(70, 100, 'unknown')]);
  });

  it('lets silence go on until the machine is heard of', () => {
    const fetched = [interval(0, 50, 'running'), interval(50, 90, 'unknown')];
    expect(extended(fetched, live('running', 0, { lastSample: 35 }), 0, 100)).toEqual([fetched[0], interval(50, 100, 'unknown')]);
    expect(extended(fetched, live('running', 0, { lastSample: 95 }), 0, 100).at(-1)).toEqual(interval(90, 100, 'running'));
  });

  it('shows a change of state that the answer came too early for', () => {
    const fetched = [interval(0, 50, 'running'), interval(50, 80, 'idle')];
    expect(extended(fetched, live('fault', 75), 0, 100)).toEqual([fetched[0], interval(50, 75, 'idle'), interval(75, 100, 'fault')]);
  });

  it('shows a change at once by an edge whose clock is ahead', () => {
    const fetched = [interval(0, 80, 'running')];
    expect(extended(fetched, live('fault', 5000), 0, 100)).toEqual([fetched[0], interval(80, 100, 'fault')]);
  });

  it('shows a reason that came after the answer from there on', () => {
    const fetched = [interval(0, 50, 'running'), interval(50, 80, 'fault')];
    expect(extended(fetched, live('fault', 50, { reason: 'jam' }), 0, 100)).toEqual([
      ...fetched,
      { from: 80, to: 100, state: 'fault', reason: 'jam' },
    ]);
  });

  it('shows nothing where nothing was fetched: data may have been missing there', () => {
    expect(extended([], live('running', 0), 0, 100)).toEqual([]);
    expect(extended([interval(0, 50, 'running')], live('running', 0), 60, 100)).toEqual([]);
  });

  it('ends at a picture that stands still, although the answer is younger', () => {
    expect(extended([interval(0, 60, 'running'), interval(60, 90, 'idle')], live('running', 0), 0, 70)).toEqual([
      interval(0, 60, 'running'),
      interval(60, 70, 'idle'),
    ]);
  });

  it('stays within the window, contiguous and in order, and never denies an answer before the current state', () => {
    const anything = fc.record({
      state: fc.constantFrom(...machineStates),
      since: fc.option(fc.integer({ min: 0, max: 9000 })),
      reason: fc.constantFrom(null, 'jam'),
      connection: fc.constantFrom(...connections),
      lastSample: fc.option(fc.integer({ min: 0, max: 9000 })),
    });
    fc.assert(
      fc.property(contiguous, anything, fc.integer({ min: 1, max: 9000 }), (fetched, current, length) => {
        const [from, to] = [100, 100 + length];
        const shown = extended(fetched, current, from, to);
        const answered = clipped(fetched, from, to);
        const known = Math.min(answered.at(-1)?.to ?? from, Math.max(current.since ?? from, answered.at(-1)?.from ?? from));
        expect(clipped(shown, from, known)).toEqual(clipped(answered, from, known));
        for (const [index, part] of shown.entries()) {
          expect(part.to).toBeGreaterThan(part.from);
          expect(part.from).toBe(index === 0 ? from : shown[index - 1]?.to);
        }
        expect(shown.at(-1)?.to).toBe(answered.length === 0 ? undefined : to);
        const end = shown.at(-1);
        if (current.connection !== 'online' && end !== undefined && (answered.at(-1)?.to ?? to) < to) expect(end.state).toBe('unknown');
      }),
    );
  });

  it('is what happened, whenever the answer was made, if one state changed since', () => {
    const truth = fc
      .array(fc.tuple(fc.integer({ min: 2, max: 500 }), fc.constantFrom(...machineStates)), { minLength: 1, maxLength: 20 })
      .map((parts) => {
        let at = 0;
        return parts
          .filter(([, state], index) => state !== parts[index - 1]?.[1])
          .map(([length, state]) => {
            at += length;
            return interval(at - length, at, state);
          });
      });
    fc.assert(
      fc.property(truth, fc.nat(1000), fc.nat(1000), fc.boolean(), (happened, late, early, hasChanged) => {
        const end = happened.at(-1) as StateInterval;
        const before = happened.at(-2);
        const missesOne = hasChanged && before !== undefined && end.state !== 'unknown' && before.state !== 'unknown';
        const newest = missesOne ? before : end;
        // The answer knows samples to `heard`, and takes the state to have lasted until it was made.
        const heard = newest.from + 1 + (early % (newest.to - newest.from));
        const made = heard + (late % (end.to - heard + 1));
        const fetched = [...happened.slice(0, happened.indexOf(newest)), { ...newest, to: made }];
        // The hub keeps a state over time without data: there is no sample that says otherwise.
        const told = happened.filter(({ state }) => state !== 'unknown');
        const state = told.at(-1)?.state;
        const since = told.findLast((_part, index) => told[index - 1]?.state !== state);
        const isLost = end.state === 'unknown';
        const current = live(state ?? 'unknown', since?.from ?? null, {
          connection: isLost ? 'agentOffline' : 'online',
          lastSample: end.to,
        });
        expect(extended(fetched, current, 0, end.to)).toEqual(happened);
      }),
      { numRuns: 500 },
    );
  });
});

describe('totals', () => {
  it('adds up to the time that is covered', () => {
    fc.assert(
      fc.property(contiguous, (intervals) => {
        const sum = totals(intervals).reduce((all, { ms }) => all + ms, 0);
        expect(sum).toBe(intervals.at(-1)?.to ?? 0);
      }),
    );
  });

  it('keeps the order of the legend', () => {
    expect(totals(clipped([interval(0, 9, 'fault'), interval(9, 20, 'running')], 0, 20)).map(({ state }) => state)).toEqual([
      'running',
      'fault',
    ]);
  });
});

describe('stripPaths', () => {
  it('shows a fault of a second in a week', () => {
    const week = 7 * 86_400_000;
    const paths = stripPaths(
      [interval(0, 1000, 'running'), interval(1000, 2000, 'fault'), interval(2000, week, 'running')],
      0,
      week,
      300,
      12,
    );
    expect(paths.down).toBe('M0 0h1v12h-1z');
  });

  it('draws at most one rectangle per pixel and colour', () => {
    const many = Array.from({ length: 5000 }, (_, index) => interval(index, index + 1, index % 2 === 0 ? 'running' : 'fault'));
    const paths = stripPaths(many, 0, 5000, 100, 12);
    expect(paths.down.split('M').length - 1).toBeLessThanOrEqual(100);
    expect(paths.run.split('M').length - 1).toBeLessThanOrEqual(100);
  });
});

describe('looks', () => {
  const machine = { state: 'running', connection: 'online', countGood: 3, powerKw: 4 } as const;

  it('puts a broken connection before the last known state', () => {
    expect(lookOf({ ...machine, connection: 'plcUnreachable' })).toBe('plcUnreachable');
    expect(lookOf(machine)).toBe('running');
  });

  it('tells a meter from a machine that lost its state', () => {
    expect(lookOf({ ...machine, state: 'unknown', countGood: null })).toBe('reporting');
    expect(lookOf({ ...machine, state: 'unknown' })).toBe('unknown');
    expect(isMeter({ ...machine, state: 'unknown', countGood: null, connection: 'agentOffline' })).toBe(false);
  });

  it('asks for a reason only where someone stopped or broke something', () => {
    expect(lacksReason('fault', null)).toBe(true);
    expect(lacksReason('idle', 'no material')).toBe(false);
    expect(lacksReason('setup', null)).toBe(false);
    expect(severity('fault', null, 0)).toBeGreaterThan(severity('fault', 'jam', 3));
    expect(severity('fault', 'jam', 0)).toBeGreaterThan(severity('idle', null, 9));
  });
});
