import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ModbusAddress, parseAddress } from './address.ts';
import { modbusConfig } from './config.ts';
import { createCostMeter, expectedCost } from './cost.ts';
import { parseEndpoint } from './endpoint.ts';
import { explainPlan } from './explain-plan.ts';
import { type PlanLimits, planBlocks, type Span, spansOf } from './plan.ts';

function addressesOf(texts: readonly string[]): readonly ModbusAddress[] {
  return texts.map((text) => {
    const address = parseAddress(text);
    if ('problem' in address) throw new Error(address.problem);
    return address;
  });
}

interface Cost {
  readonly requests: number;
  readonly sum: number;
}

/** The least cost over all ways to put the spans into groups, neighbours or not. Written from the definition, without any of the planner. */
function cheapest(spans: readonly Span[], limits: PlanLimits): Cost {
  let best: Cost = { requests: 0, sum: Number.POSITIVE_INFINITY };
  const groups: Span[][] = [];
  const visit = (i: number): void => {
    const span = spans[i];
    if (span === undefined) {
      const lengths = groups.map((group) => Math.max(...group.map(({ end }) => end)) - Math.min(...group.map(({ start }) => start)));
      if (groups.some((group, g) => group.length > 1 && (lengths[g] ?? 0) > limits.maxCount)) return;
      const sum = lengths.reduce((total, length) => total + limits.requestCost + length * limits.addressCost, 0);
      if (sum < best.sum) best = { requests: groups.length, sum };
      return;
    }
    for (const group of groups) {
      group.push(span);
      visit(i + 1);
      group.pop();
    }
    groups.push([span]);
    visit(i + 1);
    groups.pop();
  };
  visit(0);
  return best;
}

describe('the read plan is the best there is', () => {
  const maps = fc.array(fc.record({ start: fc.nat(120), type: fc.constantFrom('uint16', 'uint16', 'float32', 'int64', 'string30') }), {
    minLength: 1,
    maxLength: 8,
  });
  const planned = (map: readonly { start: number; type: string }[], limits: PlanLimits): { plan: Cost; best: Cost } => {
    const spans = spansOf(addressesOf(map.map(({ start, type }) => `holding:${start}:${type}`)), 'holding');
    const blocks = planBlocks('holding', spans, limits, new Set());
    const sum = blocks.reduce((total, { start, end }) => total + limits.requestCost + (end - start) * limits.addressCost, 0);
    return { plan: { requests: blocks.length, sum }, best: cheapest(spans, limits) };
  };

  it('needs the fewest requests on any small map, as trying all ways shows', () => {
    fc.assert(
      fc.property(maps, fc.integer({ min: 15, max: 125 }), (map, maxCount) => {
        const { plan, best } = planned(map, { maxCount, maxGap: Number.POSITIVE_INFINITY, requestCost: 1, addressCost: 1e-6 });
        expect(plan.requests).toBe(best.requests);
      }),
      { numRuns: 150 },
    );
  });

  it('takes the least time on any small map, whatever requests and registers cost', () => {
    fc.assert(
      fc.property(maps, fc.integer({ min: 15, max: 125 }), fc.integer({ min: 1, max: 200 }), (map, maxCount, breakEven) => {
        const { plan, best } = planned(map, { maxCount, maxGap: Number.POSITIVE_INFINITY, requestCost: breakEven, addressCost: 1 });
        expect(plan.sum).toBeCloseTo(best.sum, 6);
      }),
      { numRuns: 150 },
    );
  });

  it('plans thousands of tags in a moment', () => {
    const spans = spansOf(addressesOf(Array.from({ length: 5000 }, (_, i) => `holding:${i * 3}:uint16`)), 'holding');
    const startMs = performance.now();
    const blocks = planBlocks('holding', spans, { maxCount: 125, maxGap: 124, requestCost: 1, addressCost: 1e-6 }, new Set());
    expect(blocks.length).toBe(Math.ceil(5000 / 42));
    expect(performance.now() - startMs).toBeLessThan(2000);
  });
});

describe('the cost of a request', () => {
  const serial = (baudRate: number) => ({ baudRate, dataBits: 8, parity: 'even', stopBits: 1 }) as const;
  const breakEven = ({ requestMs, wordMs }: { requestMs: number; wordMs: number }): number => requestMs / wordMs;
  const line = parseEndpoint('rtu:///dev/ttyUSB0');
  const network = parseEndpoint('tcp://10.0.0.1');
  if (line === undefined || network === undefined) throw new Error('no endpoint');

  it('is known for a serial line: a slow one bridges about ten registers, a fast one more', () => {
    // 11 bits a character; 13 characters and two silences and 5 ms for the device, against 2 characters a register.
    expect(breakEven(expectedCost(line, serial(9600)))).toBeCloseTo((13 * 1.1458 + 2 * 3.5 * 1.1458 + 5) / 2.2917, 1);
    expect(breakEven(expectedCost(line, serial(115_200)))).toBeGreaterThan(40);
  });

  it('is measured on a network: the line through what requests of different lengths took', () => {
    const meter = createCostMeter(expectedCost(network, serial(9600)), false);
    for (let i = 0; i < 400; i++) meter.observe(1 + ((i * 37) % 125), 20 + 0.5 * (1 + ((i * 37) % 125)));
    expect(meter.cost().requestMs).toBeCloseTo(20, 0);
    expect(meter.cost().wordMs).toBeCloseTo(0.5, 1);
  });

  it('is not thrown by one answer that waited for something else, nor by nonsense', () => {
    const meter = createCostMeter({ requestMs: 10, wordMs: 0.1 }, false);
    for (let i = 0; i < 100; i++) meter.observe(1 + (i % 100), 10 + 0.1 * (1 + (i % 100)));
    meter.observe(50, 60_000);
    expect(breakEven(meter.cost())).toBeGreaterThan(50);
    for (let i = 0; i < 300; i++) meter.observe(i % 2 === 0 ? 1 : 125, i % 2 === 0 ? 50 : 0);
    expect(meter.cost().wordMs).toBeGreaterThan(0);
    expect(meter.cost().requestMs).toBeGreaterThan(0);
  });
});

describe('explaining a plan', () => {
  const config = (change: object, tags: readonly string[], intervalMs = 1000) =>
    modbusConfig.parse({
      id: 'hall',
      driver: 'modbus',
      endpoint: 'rtu:///dev/ttyUSB0',
      devices: [{ id: 'meter', unit: 3, intervalMs, tags: tags.map((address, i) => ({ metric: `m${i}`, address })) }],
      ...change,
    });
  const tags = ['input:0:float32', 'input:2:float32', 'input:6:float32', 'input:70:uint32', 'coil:1:bool', 'coil:9:bool'];

  it('says what is asked for, what is wasted, and what simpler plans would need', () => {
    const report = explainPlan(config({}, tags));
    const [device] = report.devices;
    expect(device?.requests).toEqual([
      { table: 'coil', start: 1, count: 9, wasted: 7 },
      { table: 'input', start: 0, count: 8, wasted: 2 },
      { table: 'input', start: 70, count: 2, wasted: 0 },
    ]);
    expect(device).toMatchObject({ tags: 6, registersRead: 10, registersWasted: 2, bitsRead: 9, bitsWasted: 7 });
    expect(device?.oneRequestPerTag.requests).toBe(6);
    expect(device?.adjacentOnly.requests).toBe(5);
    expect(device?.cycleMs).toBeLessThan(device?.adjacentOnly.cycleMs ?? 0);
    expect(report.warnings).toEqual([]);
    expect(report.busyShare).toBeCloseTo((device?.cycleMs ?? 0) / 1000);
  });

  it('bridges what a network bridges, and keeps to a limit that is given', () => {
    expect(explainPlan(config({ endpoint: 'tcp://10.0.0.1' }, ['input:0:uint16', 'input:30:uint16'])).devices[0]?.requests.length).toBe(1);
    expect(explainPlan(config({ maxGapWords: 0 }, ['input:0:uint16', 'input:2:uint16'])).devices[0]?.requests.length).toBe(2);
  });

  it('warns when the line has no room for it', () => {
    const { warnings, busyShare } = explainPlan(config({}, tags, 50));
    expect(busyShare).toBeGreaterThan(1);
    expect(warnings).toEqual([
      expect.stringMatching(/^Reading meter takes about \d+ ms, its interval is 50 ms\.$/),
      expect.stringMatching(/^The connection is busy for about \d+ % of the time/),
    ]);
  });
});
