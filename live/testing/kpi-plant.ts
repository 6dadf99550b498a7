import type { PlantModel } from '@nhip/core/wire/plant';
import { createPrng } from './prng.ts';
import type { HistorySample } from './rig.ts';

/** A line of two machines with a meter, two shifts with breaks, and a day of the books that begins at 06:00. */
export const saw = 'vinh/line/M01';
export const packer = 'vinh/line/M02';
export const meter = 'vinh/line/CT1';

const name = (text: string) => ({ vi: text, en: text });

export const kpiPlant: PlantModel = {
  enterprise: name('Nhịp'),
  site: name('Vinh'),
  timeZone: 'Asia/Ho_Chi_Minh',
  lines: [{ id: 'L1', name: name('L1'), machines: [saw, packer, meter] }],
  machines: {
    [saw]: { role: 'machine', name: name('Saw'), kind: name('Saw'), idealCycleMs: 20_000 },
    [packer]: { role: 'machine', name: name('Packer'), kind: name('Packer'), idealCycleMs: 25_000 },
    [meter]: { role: 'meter', name: name('Meter'), kind: name('Meter'), measures: 'L1' },
  },
  shifts: [
    { id: 'A', name: name('A'), from: '06:00', to: '14:00', breaks: [{ from: '11:30', to: '12:00' }] },
    { id: 'B', name: name('B'), from: '14:00', to: '22:15', breaks: [{ from: '18:00', to: '18:20' }] },
  ],
  dayStart: '06:00',
  reasons: {},
  reasonCodes: { jam: 'breakdown', wait: 'upstream_downstream' },
};

/** 06:00 in the plant on Thursday, 20 November 2025. */
export const kpiStartMs = Date.UTC(2025, 10, 19, 23, 0);

const states = ['running', 'running', 'running', 'idle', 'fault', 'setup', 'stopped'] as const;
const reasons = ['', 'jam', 'wait'];
const minuteMs = 60_000;

/** Samples of the plant as machines would have sent them: the same for the same seed. */
export function kpiHistory(fromMs: number, toMs: number, seed: number): readonly HistorySample[] {
  const random = createPrng(seed);
  const samples: HistorySample[] = [];
  for (const machine of [saw, packer]) {
    samples.push([machine, 'Connection', fromMs, 'online'], [machine, 'Cycle/IdealMs', fromMs, machine === saw ? 20_000 : 25_000]);
    const counts = { good: 1000, reject: 10 };
    let changeMs = fromMs;
    let state: string = 'running';
    for (let t = fromMs; t < toMs; t += 30_000) {
      if (t >= changeMs) {
        state = states[random(states.length)] ?? 'running';
        changeMs = t + random(40) * minuteMs + 45_000;
        samples.push([machine, 'State', t, state], [machine, 'State/Reason', t, state === 'running' ? '' : (reasons[random(3)] ?? '')]);
        if (random(6) === 0) samples.push([machine, 'Job/Product', t + 5, `P${random(3)}`]);
        if (random(40) === 0) counts.good = 0;
      } else if (t % minuteMs === 0) samples.push([machine, 'State', t, state]);
      // Some minutes are missing, as when an edge is away.
      if (state !== 'running' || random(50) === 0) continue;
      counts.good += 1 + random(2);
      samples.push([machine, 'Count/Good', t + random(20_000), counts.good]);
      if (random(12) === 0) samples.push([machine, 'Count/Reject', t + random(20_000), ++counts.reject]);
    }
  }
  let kwh = 5000;
  for (let t = fromMs; t < toMs; t += minuteMs) {
    kwh += random(1000) / 997;
    samples.push([meter, 'Energy/Import', t + 17, kwh]);
  }
  return samples;
}
