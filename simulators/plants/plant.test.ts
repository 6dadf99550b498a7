import { describe, expect, it } from 'vitest';
import { type Endpoints, edgeConfigs } from './edge-config.ts';
import { hoaLac } from './hoa-lac.ts';
import { createPlant, type Plant } from './plant.ts';
import { plantModel } from './plant-model.ts';

const endpoints: Endpoints = { host: '127.0.0.1', modbusPort: 1502, opcuaPort: 4840 };
const hourMs = 3_600_000;
/** Monday 2026-11-16 06:00 in Hòa Lạc. */
const mondayMorning = Date.parse('2026-11-16T06:00:00+07:00');

function runPlant(plant: Plant, fromMs: number, toMs: number, dtMs: number, each: (nowMs: number) => void = () => {}): void {
  for (let now = fromMs; now < toMs; ) {
    now += dtMs;
    plant.step(dtMs, now);
    each(now);
  }
}

function reading(plant: Plant, id: string, metric: string) {
  return plant.machines.find(({ spec }) => spec.id === id)?.machine.values()[metric];
}

describe('the Hoa Lac plant', () => {
  it('has three lines, at least twelve machines of at least five kinds, and meters', () => {
    const machines = hoaLac.machines.filter((spec) => spec.role === 'machine');
    expect(hoaLac.machines.length).toBeGreaterThanOrEqual(12);
    expect(new Set(machines.map((spec) => spec.kind.id)).size).toBeGreaterThanOrEqual(5);
    expect(new Set(machines.map((spec) => spec.line))).toEqual(new Set(['L1', 'L2', 'L3']));
    expect(hoaLac.machines.filter((spec) => spec.role === 'meter')).toHaveLength(4);
    for (const spec of hoaLac.machines) expect(spec.id).toMatch(/^[A-Z0-9-]+$/);
  });

  it('continues exactly from a snapshot', () => {
    const [original, copy] = [createPlant(hoaLac, 5), createPlant(hoaLac, 6)];
    runPlant(original, mondayMorning, mondayMorning + 3 * hourMs, 7_300);
    copy.restore(JSON.parse(JSON.stringify(original.snapshot())));
    for (const plant of [original, copy]) runPlant(plant, mondayMorning + 3 * hourMs, mondayMorning + 5 * hourMs, 500 * 9);
    expect(copy.snapshot()).toEqual(original.snapshot());
    expect(() => copy.restore({ ...original.snapshot(), plant: 'other' })).toThrow(/plant other/);
  });

  it('makes about as much in steps of 500 ms as in steps of 60 s', () => {
    const totals = [500, 60_000].map((dtMs) => {
      const plant = createPlant({ ...hoaLac, outages: { meanBetweenMs: 1e15, meanLengthMs: 1 } }, 3);
      runPlant(plant, mondayMorning, mondayMorning + 4 * hourMs, dtMs);
      return ['EP-01', 'CNC-03', 'CHI-01', 'DG-01'].map((id) => Number(reading(plant, id, 'Count/Good')));
    });
    for (const [i, small] of (totals[0] ?? []).entries()) {
      expect(small).toBeGreaterThan(150);
      expect(Math.abs(small / (totals[1]?.[i] ?? 0) - 1)).toBeLessThan(0.2);
    }
  });

  it('shows something at any hour of the week: most machines work, and states change every few minutes', () => {
    const plant = createPlant(hoaLac, 1);
    const working: number[] = [];
    const last = new Map<string, unknown>();
    let changes = 0;
    runPlant(plant, mondayMorning, mondayMorning + 7 * 24 * hourMs, 30_000, () => {
      let scheduled = 0;
      for (const { spec, machine } of plant.machines) {
        const { State: state } = machine.values();
        if (state === undefined) continue;
        if (state !== 'notScheduled') scheduled++;
        if (last.get(spec.id) !== state) changes++;
        last.set(spec.id, state);
      }
      working.push(scheduled);
    });
    expect(Math.min(...working)).toBeGreaterThanOrEqual(4);
    expect(changes / (7 * 24)).toBeGreaterThan(20);
  });

  it('starves a line downstream of a fault and measures what its machines draw', () => {
    const plant = createPlant(hoaLac, 2);
    let starved = 0;
    runPlant(plant, mondayMorning, mondayMorning + 8 * hourMs, 5_000, () => {
      if (reading(plant, 'DAN-01', 'State/Reason') === 'starved') starved++;
    });
    expect(starved).toBeGreaterThan(10);
    const sum = ['CHI-01', 'DAN-01', 'DG-01'].reduce((kw, id) => kw + Number(reading(plant, id, 'Power/Active')), 0);
    expect(Number(reading(plant, 'CT-L3', 'Power/Active'))).toBeCloseTo(sum, 1);
  });

  it('stops everything in a grid outage', () => {
    const plant = createPlant({ ...hoaLac, outages: { meanBetweenMs: hourMs, meanLengthMs: 10 * 60_000 } }, 2);
    let outages = 0;
    runPlant(plant, mondayMorning + hourMs, mondayMorning + 4 * hourMs, 5_000, () => {
      if (reading(plant, 'EP-01', 'State') !== 'stopped') return;
      outages++;
      expect(reading(plant, 'MNK-01', 'State/Reason')).toBe('gridOutage');
      expect(reading(plant, 'CT-01', 'Voltage/L1')).toBe(0);
    });
    expect(outages).toBeGreaterThan(10);
  });
});

describe('what the plant tells others', () => {
  it('configures every machine once, with addresses and node ids that the drivers understand', () => {
    const configs = edgeConfigs(hoaLac, endpoints);
    expect(configs.map((config) => [config.edge, config.connections.map((connection) => connection.driver)])).toEqual([
      ['edge-cnc', ['opcua']],
      ['edge-pack', ['modbus']],
    ]);
    const devices = configs.flatMap((config) => config.connections.flatMap((connection) => [...connection.devices]));
    expect(devices.map((device) => device.id).sort()).toEqual(hoaLac.machines.map((spec) => spec.id).sort());
    const texts = JSON.stringify(configs);
    expect(texts).toContain('"address":"holding:110:uint32:CDAB"');
    expect(texts).toContain('"address":"holding:20.1:bool"');
    expect(texts).toContain('"node":"nsu=urn:nhip:simulator;s=CNC-01.SpindleLoad"');
    expect(texts).toContain('"6":"running"');
    for (const device of devices) {
      const metrics = device.tags.map((tag) => tag.metric.toLowerCase());
      expect(new Set(metrics).size).toBe(metrics.length);
    }
  });

  it('names every machine, line, shift and reason in both languages', () => {
    const model = plantModel(hoaLac);
    expect(model.lines.flatMap((line) => line.machines).sort()).toEqual(Object.keys(model.machines).sort());
    expect(model.machines['hoalac/edge-pack/DG-01']).toEqual({
      name: { vi: 'ĐG-01', en: 'DG-01' },
      kind: { vi: 'Đóng thùng', en: 'Case packer' },
      role: 'machine',
      idealCycleMs: 23_000,
    });
    expect(model.shifts).toHaveLength(3);
    expect(model.reasons.boxJam?.vi).toBe('Kẹt thùng');
  });
});
