import { describe, expect, it } from 'vitest';
import type { MachineState } from '../wire/vocabulary.ts';
import type { MachineInterval } from './corrections.ts';
import { reasonMap } from './reasons.ts';
import { contextRange, machineTimeline } from './time-model.ts';
import { timeParts } from './time-parts.ts';

const minute = 60_000;
const rules = { reasons: reasonMap({ E17: 'breakdown' }), microStopMs: 2 * minute };
const always = [{ from: -(10 ** 9), to: 10 ** 9 }];

/** `running 60, idle 5 material_shortage, fault 0.5` in minutes from 0 on. */
function history(text: string): readonly MachineInterval[] {
  let from = 0;
  return text.split(', ').map((item) => {
    const [state, minutes, reason] = item.split(' ');
    const to = from + Number(minutes) * minute;
    const interval = { from, to, state: state as MachineState, reason: reason ?? null };
    from = to;
    return interval;
  });
}

function partsOf(text: string, planned = always) {
  const timeline = machineTimeline(history(text), planned, rules);
  return timeParts(timeline, timeline);
}

describe('machineTimeline', () => {
  it('sorts the states into the buckets of ISO 22400-2', () => {
    const parts = partsOf('running 60, setup 10, idle 5, fault 7, maintenance 8, stopped 4, notScheduled 20, unknown 6');
    expect(parts).toMatchObject({
      potMs: 100 * minute,
      pbtMs: 86 * minute,
      aptMs: 60 * minute,
      setupMs: 10 * minute,
      auptMs: 70 * minute,
      adetMs: 7 * minute,
      adotMs: 9 * minute,
      plannedMaintenanceMs: 8 * minute,
      unknownPlannedMs: 6 * minute,
      failureEvents: 1,
      ttrMs: 7 * minute,
      tbfMs: 70 * minute,
      microStops: 0,
      unexplainedStops: 3,
      unexplainedMs: 16 * minute,
    });
  });

  it('lets a reason tell what idle and stopped do not', () => {
    const parts = partsOf(
      'running 1, stopped 10 setup_changeover, idle 20 no_order, stopped 30 planned_maintenance, idle 40 material_shortage, stopped 50 E17, idle 60 Z9, running 1',
    );
    expect(parts).toMatchObject({
      setupMs: 10 * minute,
      plannedStopMs: 20 * minute,
      plannedMaintenanceMs: 30 * minute,
      adetMs: 90 * minute,
      adotMs: 60 * minute,
      failureEvents: 1,
      ttrMs: 50 * minute,
      unexplainedStops: 0,
    });
    expect(parts.statesMs).toMatchObject({ setup: 10 * minute, maintenance: 30 * minute, fault: 50 * minute, idle: 120 * minute });
  });

  it('takes maintenance as planned, unless its reason is not', () => {
    const parts = partsOf('running 1, fault 5, maintenance 20 breakdown, running 1, maintenance 30, running 1');
    expect(parts).toMatchObject({
      correctiveMaintenanceMs: 20 * minute,
      plannedMaintenanceMs: 30 * minute,
      failureEvents: 1,
      ttrMs: 25 * minute,
      adetMs: 25 * minute,
    });
  });

  it('is not scheduled outside the calendar, unless the machine runs', () => {
    const parts = partsOf('idle 60, running 30, unknown 10, fault 20', [{ from: 10 * minute, to: 20 * minute }]);
    expect(parts.statesMs).toMatchObject({ idle: 10 * minute, notScheduled: 70 * minute, running: 30 * minute, unknown: 10 * minute });
    expect(parts).toMatchObject({ potMs: 40 * minute, pbtMs: 40 * minute, aptMs: 30 * minute, unknownPlannedMs: 0, failureEvents: 0 });
  });

  it('counts short interruptions apart, whole ones only', () => {
    const parts = partsOf('running 1, idle 0.5, fault 1, running 1, idle 0.5, stopped 2, running 1, idle 1, unknown 1, idle 1, running 1');
    expect(parts).toMatchObject({ microStops: 1, microStopMs: 1.5 * minute, failureEvents: 1, unexplainedStops: 4 });
    // The micro-stop is delay, the rest of idle and stopped is down time.
    expect(parts).toMatchObject({ adetMs: 1.5 * minute, adotMs: 4.5 * minute });
  });

  it('counts a failure once: where it began, through the night and over the hour', () => {
    const twoShifts = [
      { from: 0, to: 60 * minute },
      { from: 120 * minute, to: 200 * minute },
    ];
    const intervals = history('running 50, fault 100, running 50');
    const timeline = machineTimeline(intervals, twoShifts, rules);
    expect(timeParts(timeline, timeline)).toMatchObject({ failureEvents: 1, ttrMs: 40 * minute });
    const second = { from: 120 * minute, to: 180 * minute };
    expect(contextRange(second, twoShifts, rules)).toEqual({ from: 60 * minute - 1, to: 182 * minute });
    expect(timeParts(timeline, second)).toMatchObject({ failureEvents: 0, ttrMs: 30 * minute });
    expect(partsOf('running 1, fault 5, fault 5 E17, unknown 5, fault 5, running 1').failureEvents).toBe(2);
  });

  it('does not count a beginning that was not seen', () => {
    expect(partsOf('fault 5, running 1')).toMatchObject({ failureEvents: 0, ttrMs: 5 * minute, unexplainedStops: 0 });
    expect(partsOf('idle 1, running 1').microStops).toBe(0);
    expect(partsOf('running 1, idle 1').microStops).toBe(0);
  });

  it('refuses a period that nobody looked at', () => {
    const timeline = machineTimeline(history('running 10'), always, rules);
    expect(() => timeParts(timeline, { from: -1, to: 5 })).toThrow(/contextRange/);
    expect(() => timeParts(timeline, { from: 0, to: 10 * minute + 1 })).toThrow(RangeError);
    expect(timeParts(timeline, { from: 7, to: 7 }).potMs).toBe(0);
  });
});
