import { openPlantState } from '../plant-state.ts';

/** Writes corrections one after the other until it is killed, and tells the number of each that was answered. */
const state = await openPlantState(process.argv[2] ?? '');
for (let i = 1; ; i++) {
  const entry = { machine: 'hoalac/press/M01', by: 'Lan', atMs: i } as const;
  await state.corrections.append(
    { ...entry, kind: 'reclassify', fromMs: i * 1000, toMs: i * 1000 + 500, reason: 'other' },
    { from: 0, to: 1 },
  );
  process.stdout.write(`${i}\n`);
}
