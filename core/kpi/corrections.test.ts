import { describe, expect, it } from 'vitest';
import { applyCorrections, type Correction, type MachineInterval, maxOpenMs } from './corrections.ts';
import { reasonMap } from './reasons.ts';
import { correctionProblem, listStops } from './stops.ts';
import { machineTimeline } from './time-model.ts';
import { timeParts } from './time-parts.ts';

const reasons = reasonMap();
const rules = { reasons, microStopMs: 1 };
const planned = [{ from: 0, to: 10_000 }];
const intervals: readonly MachineInterval[] = [
  { from: 0, to: 100, state: 'running', reason: null },
  { from: 100, to: 200, state: 'stopped', reason: null },
  { from: 200, to: 300, state: 'fault', reason: 'E17' },
  { from: 300, to: 400, state: 'running', reason: null },
  { from: 400, to: 500, state: 'unknown', reason: null },
  { from: 500, to: 600, state: 'idle', reason: null },
  { from: 600, to: 700, state: 'running', reason: null },
];

const said = { machine: 'm', by: 'lan', atMs: 0 };
const reclassify = (id: string, fromMs: number, toMs: number | null, reason: string | null): Correction => ({
  ...said,
  kind: 'reclassify',
  id,
  fromMs,
  toMs,
  reason,
});
const split = (id: string, splitMs: number): Correction => ({ ...said, kind: 'split', id, splitMs });
const merge = (id: string, fromMs: number, toMs: number): Correction => ({
  ...said,
  kind: 'merge',
  id,
  fromMs,
  toMs,
  reason: 'breakdown',
  state: 'fault',
});

function stopsAfter(corrections: readonly Correction[], list = intervals) {
  const timeline = machineTimeline(list, planned, rules, corrections);
  return listStops('m', timeline, { from: 0, to: 700 }, reasons, corrections).map(
    ({ id, to, state, code }) => `${id}-${to} ${state} ${code}`,
  );
}

describe('corrections', () => {
  it('re-classify a stop, and what the reason shows of its state', () => {
    expect(stopsAfter([])).toEqual(['m@100-200 stopped unexplained', 'm@200-300 fault other', 'm@500-600 idle unexplained']);
    expect(stopsAfter([reclassify('1', 100, 200, 'material_shortage'), reclassify('2', 200, 300, 'setup_changeover')])).toEqual([
      'm@100-200 stopped material_shortage',
      'm@200-300 setup setup_changeover',
      'm@500-600 idle unexplained',
    ]);
    const last = stopsAfter([reclassify('1', 500, 600, 'no_order'), reclassify('2', 500, 600, 'breakdown')]).at(-1);
    expect(last).toBe('m@500-600 fault breakdown');
  });

  it('split a stop in two, which may have one reason, and merge them again', () => {
    expect(stopsAfter([split('1', 550)]).slice(2)).toEqual(['m@500-550 idle unexplained', 'm@550-600 idle unexplained']);
    expect(stopsAfter([split('1', 550), reclassify('2', 550, 600, 'no_order')]).slice(2)).toEqual([
      'm@500-550 idle unexplained',
      'm@550-600 idle no_order',
    ]);
    expect(stopsAfter([split('1', 150), merge('2', 100, 300)]).slice(0, 1)).toEqual(['m@100-300 fault breakdown']);
    expect(stopsAfter([merge('2', 100, 300), split('1', 150)]).slice(0, 2)).toEqual([
      'm@100-150 fault breakdown',
      'm@150-300 fault breakdown',
    ]);
    const timeline = machineTimeline(intervals, planned, rules, [merge('2', 100, 300), split('1', 150)]);
    expect(timeParts(timeline, timeline)).toMatchObject({ failureEvents: 1, ttrMs: 200 });
  });

  it('never touch running; time without data takes a reason and stays unknown', () => {
    expect(stopsAfter([reclassify('1', 0, 700, 'grid_outage')])).toEqual([
      'm@100-200 stopped grid_outage',
      'm@200-300 fault grid_outage',
      'm@400-500 unknown grid_outage',
      'm@500-600 idle grid_outage',
    ]);
  });

  it('hold for a stop that goes on until the machine leaves its state', () => {
    const open = [reclassify('1', 550, null, 'material_shortage')];
    expect(stopsAfter(open).at(-1)).toBe('m@550-600 idle material_shortage');
    const longer = intervals.map((interval) =>
      interval.state === 'idle' ? { ...interval, to: 650 } : interval.from === 600 ? { ...interval, from: 650 } : interval,
    );
    expect(stopsAfter(open, longer).at(-1)).toBe('m@550-650 idle material_shortage');
    const forever: MachineInterval = { from: 0, to: 2 * maxOpenMs, state: 'idle', reason: null };
    expect(applyCorrections([forever], [reclassify('1', 10, null, 'no_order')], reasons).map(({ from }) => from)).toEqual([
      0,
      10,
      10 + maxOpenMs,
    ]);
  });

  it('mean time, not intervals: late data that shows a running machine wins, the rest holds', () => {
    const restated = intervals.flatMap((interval): readonly MachineInterval[] =>
      interval.from !== 100
        ? [interval]
        : [
            { from: 100, to: 130, state: 'stopped', reason: null },
            { from: 130, to: 160, state: 'running', reason: null },
            { from: 160, to: 200, state: 'stopped', reason: null },
          ],
    );
    expect(stopsAfter([reclassify('1', 100, 200, 'material_shortage')], restated).slice(0, 2)).toEqual([
      'm@100-130 stopped material_shortage',
      'm@160-200 stopped material_shortage',
    ]);
  });

  it('are taken back by a later entry; the list keeps both', () => {
    const first = reclassify('1', 500, 600, 'no_order');
    const undo: Correction = { ...said, kind: 'withdraw', id: '2', replaces: '1' };
    expect(stopsAfter([first, undo])).toEqual(stopsAfter([]));
    const better: Correction = { ...reclassify('3', 500, 600, 'labour_shortage'), replaces: '1' };
    expect(stopsAfter([first, better]).at(-1)).toBe('m@500-600 idle labour_shortage');
    const all = [first, better, undo];
    const stop = listStops('m', machineTimeline(intervals, planned, rules, all), { from: 0, to: 700 }, reasons, all).at(-1);
    expect(stop?.corrections.map(({ id }) => id)).toEqual(['1', '3', '2']);
  });
});

describe('correctionProblem', () => {
  const timeline = machineTimeline(intervals, planned, rules);
  const problem = (correction: Correction) => correctionProblem(correction, timeline, reasons);

  it('keeps people from writing down what does nothing', () => {
    expect(problem(reclassify('1', 100, 200, 'no_order'))).toBeNull();
    expect(problem(reclassify('1', 400, 500, 'grid_outage'))).toBeNull();
    expect(problem(reclassify('1', 100, 200, 'lunch'))).toBe('unknownReason');
    expect(problem(reclassify('1', 200, 200, 'other'))).toBe('emptyRange');
    expect(problem(reclassify('1', 10, 90, 'other'))).toBe('noStop');
    expect(problem(split('1', 150))).toBeNull();
    expect(problem(split('1', 200))).toBe('notInsideStop');
    expect(problem(merge('1', 100, 300))).toBeNull();
    expect(problem(merge('1', 100, 200))).toBe('notOneStop');
    expect(problem(merge('1', 200, 600))).toBe('notOneStop');
    expect(problem({ ...said, kind: 'withdraw', id: '2', replaces: '1' })).toBe('nothingToReplace');
  });
});
