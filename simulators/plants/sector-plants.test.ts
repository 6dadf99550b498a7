import { describe, expect, it } from 'vitest';
import { scheduleAt } from '../engine/calendar.ts';
import { bacNinh } from './bac-ninh.ts';
import { hoaLac } from './hoa-lac.ts';
import { createPlant } from './plant.ts';
import { plantModel } from './plant-model.ts';
import { tayNinh } from './tay-ninh.ts';

const hourMs = 3_600_000;
const mondayMs = Date.parse('2026-11-16T06:00:00+07:00');

describe.each([tayNinh, bacNinh])('the plant $id', (definition) => {
  it('is whole: ids once, lines, conveyors and outputs that exist, names in two languages, a meter of all', () => {
    const ids = definition.machines.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { from, to } of definition.conveyors) expect(ids).toEqual(expect.arrayContaining([from, to]));
    for (const { outputs = [] } of definition.lines) expect(ids).toEqual(expect.arrayContaining([...outputs]));
    const lines = definition.lines.map(({ id }) => id);
    for (const { line, name, kindName } of definition.machines) {
      expect(lines).toContain(line);
      for (const text of [name.vi, name.en, kindName.vi, kindName.en]) expect(text).not.toBe('');
    }
    expect(definition.machines.filter(({ role, measures }) => role === 'meter' && measures === 'all')).toHaveLength(1);
    expect([definition.id, definition.group]).not.toContain(hoaLac.id);
    expect(plantModel(definition).shifts).toEqual(definition.shifts);
  });

  it('works in the shifts of its calendar, and rests in the eight hours before a week begins', () => {
    const shifts = definition.shifts.map((shift) => ({ shift, days: shift.days ?? [] }));
    for (const { id, works, breaks } of definition.machines) {
      expect([id, works]).toEqual([id, Object.fromEntries(definition.shifts.map((shift) => [shift.id, shift.days]))]);
      const schedule = (atMs: number) => scheduleAt({ shifts, breaks }, definition.utcOffsetMs, atMs);
      for (let hour = 1; hour <= 8; hour++) expect(schedule(mondayMs - hour * hourMs)).toBe('off');
      expect(schedule(mondayMs)).toBe('work');
    }
  });

  it('makes pieces on every line that has some', () => {
    const plant = createPlant(definition, 3);
    for (let atMs = mondayMs; atMs < mondayMs + 8 * hourMs; atMs += 10_000) plant.step(10_000, atMs + 10_000);
    const counted = plant.machines.filter(({ machine }) => machine.values()['Count/Good'] !== undefined);
    expect(counted.length).toBeGreaterThanOrEqual(6);
    for (const { spec, machine } of counted) expect([spec.id, Number(machine.values()['Count/Good']) > 150]).toEqual([spec.id, true]);
  });
});
