import type { LiveFrame, MachinePatch, MachineView, SnapshotFrame } from '@nhip/core/wire/live';
import { connections, machineStates } from '@nhip/core/wire/vocabulary';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLiveHub, type LiveHub } from './hub.ts';
import { lathe, plant, press, shiftStartMs } from './testing/plant.ts';

const minuteMs = 60_000;
const good = 192;

function hubAt(nowMs: number): LiveHub {
  const hub = createLiveHub({ epoch: 'e1', plant });
  hub.advance(nowMs);
  return hub;
}

function view(hub: LiveHub, id: string, nowMs: number): MachineView {
  hub.tick(nowMs);
  const found = hub.machine(id);
  if (found === undefined) throw new Error(`no machine ${id}`);
  return found;
}

describe('current values', () => {
  it('tells state, reason, and since when', () => {
    const t = shiftStartMs + minuteMs;
    const hub = hubAt(t);
    hub.applySample(press, 'State', t, 'running', good);
    hub.applySample(press, 'State', t + 5000, 'running', good);
    expect(view(hub, press, t + 5000)).toMatchObject({ name: 'Máy dập 1', kind: 'Máy dập', line: 'L1', state: 'running', since: t });
    hub.applySample(press, 'State', t + 9000, 'fault', good);
    hub.applySample(press, 'State/Reason', t + 9000, 'Kẹt phôi', good);
    expect(view(hub, press, t + 9100)).toMatchObject({ state: 'fault', since: t + 9000, reason: 'Kẹt phôi' });
    hub.applySample(press, 'State/Reason', t + 9500, '', good);
    expect(view(hub, press, t + 9600).reason).toBeNull();
    hub.applySample(press, 'State', t + 9700, 'dancing', good);
    expect(view(hub, press, t + 9800)).toMatchObject({ state: 'unknown', since: t + 9700 });
  });

  it('orders live samples by arrival and lets history never move a current value back', () => {
    const t = shiftStartMs + minuteMs;
    const hub = hubAt(t);
    hub.applySample(press, 'Job/Product', t, 'A', good);
    hub.applySample(press, 'Job/Product', t - 1000, 'B', good);
    expect(view(hub, press, t).product).toBe('B');
    hub.applySample(press, 'Job/Product', t - 2000, 'old', good, { historical: true });
    expect(view(hub, press, t).product).toBe('B');
    hub.applySample(press, 'Job/Product', t + 1000, 'newer', good, { historical: true });
    expect(view(hub, press, t).product).toBe('newer');
  });

  it('bounds what a publisher can put before every viewer: long texts, many alarms', () => {
    const t = shiftStartMs + minuteMs;
    const hub = hubAt(t);
    hub.applySample(press, 'State/Reason', t, 'é'.repeat(100_000), good);
    for (let i = 0; i < 4000; i++) hub.applySample(press, `Alarm/${i}`, t, true, good);
    const shown = view(hub, press, t);
    expect(shown.reason).toBe(`${'é'.repeat(1000)}…`);
    expect(shown.alarms).toHaveLength(100);
    for (let i = 1; i < 4000; i++) hub.applySample(press, `Alarm/${i}`, t, false, good);
    expect(view(hub, press, t + 2000).alarms).toEqual(['0']);
  });

  it('keeps the values when the connection is lost', () => {
    const t = shiftStartMs + minuteMs;
    const hub = hubAt(t);
    hub.applyConnection(press, 'online');
    hub.applySample(press, 'State', t, 'running', good);
    hub.applySample(press, 'Power/Active', t, 12.345, good, { unit: 'kW' });
    hub.applyConnection(press, 'agentOffline');
    hub.applySample(press, 'Power/Active', t, 12.345, 500);
    expect(view(hub, press, t + 1)).toMatchObject({ connection: 'agentOffline', state: 'running', powerKw: 12.35, lastSample: t });
    expect(hub.metrics(press)?.find((metric) => metric.name === 'Power/Active')).toEqual({
      name: 'Power/Active',
      v: 12.345,
      t,
      unit: 'kW',
      q: 500,
    });
  });

  it('shows a new device by itself as soon as it reports a metric of the vocabulary, named by its birth', () => {
    const t = shiftStartMs;
    const hub = hubAt(t);
    hub.applySample('hoalac/x/dryer', 'Temp/Inlet', t, 61.5, good);
    hub.applySample('hoalac/x/_node', 'Count/Good', t, 1, good);
    hub.tick(t);
    expect(hub.machine('hoalac/x/dryer')).toBeUndefined();
    expect(hub.metrics('hoalac/x/dryer')).toHaveLength(1);
    hub.applySample('hoalac/x/dryer', 'Properties/DisplayName', t, 'Máy sấy', good);
    hub.applySample('hoalac/x/dryer', 'Properties/Line', t, 'L9', good);
    hub.applySample('hoalac/x/dryer', 'Alarm/Door', t, true, good);
    expect(view(hub, 'hoalac/x/dryer', t)).toMatchObject({ name: 'Máy sấy', line: 'L9', alarms: ['Door'], connection: 'online' });
    hub.applySample('hoalac/x/dryer', 'Alarm/Door', t, false, good);
    expect(view(hub, 'hoalac/x/dryer', t).alarms).toEqual([]);
    hub.tick(t);
    expect(hub.machine('hoalac/x/_node')).toBeUndefined();
  });

  it('writes 64-bit integers as text', () => {
    const hub = hubAt(shiftStartMs);
    hub.applySample(press, 'Serial', shiftStartMs, 9_007_199_254_740_993n, good);
    expect(hub.metrics(press)?.[0]?.v).toBe('9007199254740993');
  });
});

describe('figures of the shift', () => {
  it('counts pieces from the start of the shift, over a reset and a repeated sample', () => {
    const hub = hubAt(shiftStartMs);
    const count = (t: number, value: number) => hub.applySample(press, 'Count/Good', shiftStartMs + t, value, good);
    count(-1000, 990);
    count(1000, 1000);
    count(2000, 1005);
    count(1000, 1000);
    count(2000, 1005);
    count(3000, 2);
    expect(view(hub, press, shiftStartMs + 3000).countGood).toBe(17);
  });

  it('starts again at the next shift, tells viewers by a snapshot, and keeps pieces with the shift that made them', () => {
    const endMs = shiftStartMs + 8 * 60 * minuteMs;
    const hub = hubAt(shiftStartMs);
    hub.applySample(press, 'Count/Good', shiftStartMs, 0, good);
    hub.applySample(press, 'Count/Good', endMs - 1, 7, good);
    hub.applySample(press, 'Count/Good', endMs + 1, 9, good);
    const before = view(hub, press, endMs - 1);
    expect(before.countGood).toBe(7);
    const frame = hub.tick(endMs + 10);
    expect(frame).toMatchObject({ k: 'snap', plant: { shift: { id: 'B', from: endMs } } });
    expect(hub.machine(press)?.countGood).toBe(2);
  });

  it('goes by the calendar of the plant: no target on a holiday, a count and a target on an extra day', () => {
    const name = { vi: 'Ca', en: 'Shift' };
    const calendar = {
      shifts: [{ id: 'A', name, from: '06:00', to: '14:00', days: [1, 2, 3, 4, 5, 6] }],
      exceptions: [
        { date: '2026-11-20', name, shifts: [] },
        { date: '2026-11-22', name, shifts: ['A'] },
      ],
    };
    const at = (date: number) => {
      const nowMs = Date.UTC(2026, 10, date, 3);
      const hub = createLiveHub({ epoch: 'e', plant: { ...plant, ...calendar } });
      hub.advance(nowMs);
      hub.applySample(press, 'Count/Good', nowMs - 1000, 100, good);
      hub.applySample(press, 'Count/Good', nowMs - 500, 150, good);
      const { countGood, countIdeal } = view(hub, press, nowMs);
      return [hub.plant().shift, countGood, countIdeal];
    };
    const shift = (from: number) => ({ id: 'A', name, from, to: from + 8 * 60 * minuteMs });
    expect(at(20)).toEqual([null, null, null]);
    expect(at(21)).toEqual([shift(Date.UTC(2026, 10, 20, 23)), 50, 1440]);
    expect(at(22)).toEqual([shift(Date.UTC(2026, 10, 21, 23)), 50, 1440]);
  });

  it('plans pieces by the ideal cycle and the planned time, and takes the rate of the last 15 minutes', () => {
    const hub = hubAt(shiftStartMs);
    hub.applyConnection(press, 'online');
    hub.applySample(press, 'State', shiftStartMs, 'running', good);
    for (let minute = 0; minute <= 30; minute++) hub.applySample(press, 'Count/Good', shiftStartMs + minute * minuteMs, minute * 5, good);
    const at = shiftStartMs + 30 * minuteMs;
    expect(view(hub, press, at).countIdeal).toBe(180);
    expect(view(hub, press, at).ratePerHour).toBeGreaterThan(280);
    expect(view(hub, press, at).ratePerHour).toBeLessThan(321);
    hub.applySample(press, 'State', at, 'notScheduled', good);
    expect(view(hub, press, at + 10 * minuteMs).countIdeal).toBe(180);
    hub.applySample(press, 'State', at + 10 * minuteMs, 'running', good);
    hub.applySample(press, 'Cycle/IdealMs', at + 10 * minuteMs, 20_000, good);
    expect(view(hub, press, at + 20 * minuteMs).countIdeal).toBe(120);
    expect(view(hub, lathe, at).countIdeal).toBeNull();
  });

  it('freezes the rate while nothing is known', () => {
    const hub = hubAt(shiftStartMs);
    hub.applyConnection(press, 'online');
    for (let minute = 0; minute <= 15; minute++) hub.applySample(press, 'Count/Good', shiftStartMs + minute * minuteMs, minute * 5, good);
    const rate = view(hub, press, shiftStartMs + 15 * minuteMs).ratePerHour;
    hub.applyConnection(press, 'agentOffline');
    expect(view(hub, press, shiftStartMs + 60 * minuteMs).ratePerHour).toBe(rate);
    hub.applyConnection(press, 'online');
    expect(view(hub, press, shiftStartMs + 61 * minuteMs).ratePerHour).toBe(0);
  });
});

describe('frames', () => {
  it('sends one delta per tick with what changed, a heartbeat once a second otherwise', () => {
    const hub = hubAt(shiftStartMs);
    expect(hub.tick(shiftStartMs)?.k).toBe('snap');
    hub.applySample(press, 'State', shiftStartMs + 50, 'idle', good);
    hub.applySample(press, 'State', shiftStartMs + 60, 'running', good);
    expect(hub.tick(shiftStartMs + 100)).toEqual({
      k: 'd',
      epoch: 'e1',
      seq: 2,
      t: shiftStartMs + 100,
      machines: [{ id: press, state: 'running', since: shiftStartMs + 60, connection: 'online', lastSample: shiftStartMs + 60 }],
    });
    expect(hub.tick(shiftStartMs + 200)).toBeNull();
    expect(hub.tick(shiftStartMs + 1100)).toEqual({ k: 'hb', epoch: 'e1', seq: 2, t: shiftStartMs + 1100 });
  });

  it('carries the names of the plant model in both languages', () => {
    const { plant: shown } = hubAt(shiftStartMs).snapshot(shiftStartMs);
    expect(shown).toMatchObject({ name: plant.site, shift: { id: 'A', from: shiftStartMs }, reasons: { jam: { en: 'Jam' } } });
    expect(shown.machines?.[press]).toEqual({
      name: { vi: 'Máy dập 1', en: 'Press 1' },
      kind: { vi: 'Máy dập', en: 'Press' },
      role: 'machine',
    });
    expect(createLiveHub({ epoch: 'e', plant: null }).snapshot(0).plant).toMatchObject({ lines: [], shift: null });
  });

  it('lets a time stamp alone wait for the slow pass', () => {
    const hub = hubAt(shiftStartMs);
    hub.applySample(press, 'Temp', shiftStartMs, 1, good);
    hub.tick(shiftStartMs);
    hub.applySample(press, 'Temp', shiftStartMs + 100, 2, good);
    expect(hub.tick(shiftStartMs + 200)).toBeNull();
    expect(hub.tick(shiftStartMs + 1000)).toMatchObject({ k: 'd', machines: [{ id: press, lastSample: shiftStartMs + 100 }] });
  });
});

/** The reference viewer: what any client of the protocol has to do, and nothing more. */
function createViewer() {
  let epoch = '';
  let seq = -1;
  let needsSnapshot = true;
  const machines = new Map<string, MachineView>();
  return {
    apply(frame: LiveFrame): void {
      if (frame.k === 'm') return;
      if (frame.k === 'snap') {
        machines.clear();
        for (const machine of frame.machines) machines.set(machine.id, machine);
        ({ epoch, seq } = frame);
        needsSnapshot = false;
      } else if (frame.epoch !== epoch || frame.seq > seq + (frame.k === 'd' ? 1 : 0)) needsSnapshot = true;
      else if (frame.k === 'd' && frame.seq === seq + 1) {
        for (const patch of frame.machines) merge(patch);
        for (const id of frame.removed ?? []) machines.delete(id);
        seq = frame.seq;
      }
    },
    get needsSnapshot() {
      return needsSnapshot;
    },
    picture: () => Object.fromEntries(machines),
  };

  function merge(patch: MachinePatch): void {
    machines.set(patch.id, { ...machines.get(patch.id), ...patch } as MachineView);
  }
}

const picture = (snapshot: SnapshotFrame) => Object.fromEntries(snapshot.machines.map((machine) => [machine.id, machine]));

describe('consistency', () => {
  it('leaves out of a snapshot what no delta has told yet: a value that flips back would stay wrong', () => {
    const hub = hubAt(shiftStartMs);
    hub.applySample(press, 'Job/Product', shiftStartMs, 'a', good);
    hub.tick(shiftStartMs);
    const viewer = createViewer();
    hub.applySample(press, 'Job/Product', shiftStartMs + 10, 'b', good);
    viewer.apply(hub.snapshot(shiftStartMs + 20));
    hub.applySample(press, 'Job/Product', shiftStartMs + 30, 'a', good);
    const frame = hub.tick(shiftStartMs + 1100);
    if (frame !== null) viewer.apply(frame);
    expect(viewer.needsSnapshot).toBe(false);
    expect(viewer.picture()[press]?.product).toBe('a');
  });

  const ids = fc.constantFrom(press, lathe, 'hoalac/x/new1', 'hoalac/x/new2');
  const sample = fc.oneof(
    fc.record({ metric: fc.constant('State'), value: fc.constantFrom(...machineStates, 'nonsense') }),
    fc.record({ metric: fc.constantFrom('State/Reason', 'Job/Product'), value: fc.constantFrom('', 'a', 'b', null) }),
    fc.record({ metric: fc.constantFrom('Count/Good', 'Count/Reject'), value: fc.nat(50) }),
    fc.record({ metric: fc.constantFrom('Power/Active', 'Temp'), value: fc.double({ noNaN: true, min: -5, max: 5 }) }),
    fc.record({ metric: fc.constantFrom('Alarm/Oil', 'Alarm/Door'), value: fc.boolean() }),
  );
  const action = fc.oneof(
    { weight: 2, arbitrary: fc.record({ do: fc.constant('resync' as const) }) },
    {
      weight: 6,
      arbitrary: fc.record({ do: fc.constant('sample' as const), id: ids, sample, ageMs: fc.nat(3000), historical: fc.boolean() }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('connection' as const), id: ids, connection: fc.constantFrom(...connections) }) },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('tick' as const),
        afterMs: fc.oneof(fc.constant(200), fc.nat(5000), fc.constant(4 * 3_600_000)),
        fate: fc.constantFrom('deliver', 'deliver', 'drop', 'duplicate', 'hold'),
        joins: fc.boolean(),
      }),
    },
  );

  it('any loss, repetition or reordering of frames, followed by a resync, ends in the picture of the hub', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        let nowMs = shiftStartMs;
        const hub = hubAt(nowMs);
        const viewer = createViewer();
        const held: LiveFrame[] = [];
        for (const step of actions) {
          if (step.do === 'sample') {
            const { metric, value } = step.sample;
            hub.applySample(step.id, metric, nowMs - step.ageMs, value, good, { historical: step.historical });
          } else if (step.do === 'connection') hub.applyConnection(step.id, step.connection);
          else if (step.do === 'resync') viewer.apply(hub.snapshot(nowMs));
          else {
            nowMs += step.afterMs;
            const frame = hub.tick(nowMs);
            if (frame !== null) {
              if (step.fate === 'hold') held.push(frame);
              else if (step.fate !== 'drop') viewer.apply(frame);
              if (step.fate === 'duplicate') viewer.apply(frame);
            }
            if (step.fate === 'deliver') for (const late of held.splice(0)) viewer.apply(late);
            if (viewer.needsSnapshot && step.joins) viewer.apply(hub.snapshot(nowMs));
          }
        }
        // The next frame of any kind tells a viewer that it missed something.
        for (let i = 0; i < 2; i++) {
          nowMs += 1000;
          const frame = hub.tick(nowMs);
          expect(frame).not.toBeNull();
          if (frame !== null) viewer.apply(frame);
          if (viewer.needsSnapshot) viewer.apply(hub.snapshot(nowMs));
        }
        expect(viewer.picture()).toEqual(picture(hub.snapshot(nowMs)));
      }),
      { numRuns: 500 },
    );
  });
});
