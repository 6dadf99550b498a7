import type { StateInterval } from '@nhip/core/wire/live';
import { machineStates } from '@nhip/core/wire/vocabulary';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clipped, extended, stripPaths, totals } from './intervals.ts';
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

describe('extended', () => {
  it('puts the current state after what was fetched', () => {
    const fetched = [interval(0, 50, 'running'), interval(50, 80, 'idle')];
    expect(extended(fetched, { state: 'fault', reason: 'x', since: 90 }, 10, 100)).toEqual([
      interval(10, 50, 'running'),
      interval(50, 90, 'idle'),
      { from: 90, to: 100, state: 'fault', reason: 'x' },
    ]);
  });

  it('lets the current state win over what was fetched of it', () => {
    const fetched = [interval(0, 50, 'running'), interval(50, 80, 'fault')];
    const now = { state: 'fault', reason: 'jam', since: 50 } as const;
    expect(extended(fetched, now, 0, 100)).toEqual([interval(0, 50, 'running'), { from: 50, to: 100, state: 'fault', reason: 'jam' }]);
  });

  it('stays within the window, contiguous and in order, whatever came in', () => {
    fc.assert(
      fc.property(contiguous, fc.integer({ min: 0, max: 9000 }), fc.integer({ min: 1, max: 9000 }), (fetched, since, length) => {
        const shown = extended(fetched, { state: 'setup', reason: null, since }, 100, 100 + length);
        for (const [index, part] of shown.entries()) {
          expect(part.to).toBeGreaterThan(part.from);
          expect(part.from).toBeGreaterThanOrEqual(index === 0 ? 100 : (shown[index - 1]?.to ?? 0));
          expect(part.to).toBeLessThanOrEqual(100 + length);
        }
        if (since < 100 + length) expect(shown.at(-1)).toMatchObject({ state: 'setup', to: 100 + length });
      }),
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
