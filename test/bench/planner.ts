import { createSimRandom } from '@nhip/core/process/simulation/sim-random';
import { type ModbusConfig, modbusConfig } from '@nhip/edge-agent/drivers/modbus/config';
import { expectedCost } from '@nhip/edge-agent/drivers/modbus/cost';
import { limitsFor } from '@nhip/edge-agent/drivers/modbus/device-points';
import { parseEndpoint } from '@nhip/edge-agent/drivers/modbus/endpoint';
import { type DevicePlan, explainPlan } from '@nhip/edge-agent/drivers/modbus/explain-plan';
import { type PlanLimits, planBlocks, spansOf } from '@nhip/edge-agent/drivers/modbus/plan';
import { loadProfiles } from '@nhip/edge-agent/profiles/catalogue';
import { expandProfiles } from '@nhip/edge-agent/profiles/testing/expand-profiles';
import type { Bench, Figure } from './figures.ts';
import { bestPlan, fewestRequests, type PlanSums, type RegisterMap, randomMap, sumsOf } from './register-maps.ts';

const densities = [0.05, 0.2, 0.5, 0.8] as const;
const smallValues = 9;
const largeValues = 100;
const noCuts: ReadonlySet<number> = new Set();

function connection(endpoint: string, devices: readonly object[], settings: object = {}): object {
  return { id: 'c', driver: 'modbus', endpoint, ...settings, devices };
}

function someConfig(endpoint: string, settings: object = {}): ModbusConfig {
  const device = { id: 'd', unit: 1, tags: [{ metric: 'Value', address: 'holding:0:uint16' }] };
  return modbusConfig.parse(connection(endpoint, [device], settings));
}

/** What the planner may do on a line, as the driver has it before it has measured anything. */
function limitsOn(endpoint: string, settings: object = {}): PlanLimits {
  const config = someConfig(endpoint, settings);
  const parsed = parseEndpoint(endpoint);
  if (parsed === undefined) throw new Error(`${endpoint} is no endpoint`);
  return limitsFor('holding', config, expectedCost(parsed, config.serial));
}

const lines: readonly (readonly [what: string, limits: PlanLimits])[] = [
  ['Modbus TCP', limitsOn('tcp://10.0.0.1')],
  ['RTU at 9600 Bd', limitsOn('rtu:///dev/ttyUSB0')],
  ['fewest requests (maxGapWords: 124)', limitsOn('tcp://10.0.0.1', { maxGapWords: 124 })],
];

function spansIn({ addresses }: RegisterMap) {
  const all = addresses.map((address) => ({
    ...address,
    table: 'holding' as const,
    type: 'uint16' as const,
    order: 'ABCD' as const,
    bits: undefined,
    stringBytes: 0,
  }));
  return spansOf(all, 'holding');
}

/** Requests and cost of ours ÷ those of the best plan: of all maps together, and of the worst map. */
interface Ratio {
  readonly requests: number;
  readonly cost: number;
  readonly worstCost: number;
}

function againstBest(maps: readonly RegisterMap[], limits: PlanLimits): Ratio {
  const total = (list: readonly PlanSums[], of: keyof PlanSums): number => list.reduce((sum, each) => sum + each[of], 0);
  const pairs = maps.map(spansIn).map((spans) => {
    return { ours: sumsOf(planBlocks('holding', spans, limits, noCuts), limits), best: bestPlan(spans, limits) };
  });
  const [ours, best] = [pairs.map((pair) => pair.ours), pairs.map((pair) => pair.best)];
  return {
    requests: total(ours, 'requests') / total(best, 'requests'),
    cost: total(ours, 'cost') / total(best, 'cost'),
    worstCost: Math.max(...pairs.map((pair) => pair.ours.cost / pair.best.cost)),
  };
}

/** Plans of devices with 100 values, one per random map, on Modbus TCP with the defaults: what `nhip edge plan` would say. */
function plansOf(maps: readonly RegisterMap[]): readonly DevicePlan[] {
  const types: Readonly<Record<number, string>> = { 1: 'uint16', 2: 'float32', 4: 'float64' };
  return maps.flatMap(({ addresses }) => {
    const tags = addresses.map(({ start, count }, i) => ({ metric: `Value/${i}`, address: `holding:${start}:${types[count]}` }));
    return explainPlan(modbusConfig.parse(connection('tcp://10.0.0.1', [{ id: 'd', unit: 1, tags }]))).devices;
  });
}

function mean(plans: readonly DevicePlan[], of: (plan: DevicePlan) => number): number {
  return plans.reduce((sum, plan) => sum + of(plan), 0) / plans.length;
}

/** A device of each shipped Modbus profile, on a connection of its own. */
function profilePlans(): readonly (readonly [profile: string, plan: DevicePlan])[] {
  return [...loadProfiles().values()].flatMap((profile) => {
    if (profile.driver !== 'modbus') return [];
    const base = profile.base === undefined || profile.base.default !== undefined ? {} : { base: 40_070 };
    const raw = { connections: [connection('tcp://10.0.0.1', [{ id: 'd', unit: 1, profile: profile.id, ...base }])] };
    const { connections } = expandProfiles(raw, profile.id) as { readonly connections: readonly unknown[] };
    return explainPlan(modbusConfig.parse(connections[0])).devices.map((plan) => [profile.id, plan] as const);
  });
}

export const planner: Bench = {
  name: 'planner',
  summary: 'Modbus read plans: requests per cycle of ours, of the best there is, and of simpler plans',
  async run({ runs, isShort }) {
    const maps = isShort ? 20 : 200;
    const seeds = Array.from({ length: runs }, (_, run) => run + 1);
    const figures: Figure[] = [];
    const target = { kind: 'atMost', value: 1.05 } as const;
    for (const [line, limits] of lines) {
      const ratios = seeds.map((seed) => {
        const random = createSimRandom(seed);
        const small = densities.flatMap((density) =>
          Array.from({ length: maps }, () => randomMap(2 + Math.floor(random.next() * (smallValues - 1)), density, random)),
        );
        return againstBest(small, limits);
      });
      figures.push(
        { what: `${line}: requests ÷ those of the best plan`, unit: '×', values: ratios.map(({ requests }) => requests), target },
        { what: `${line}: expected time ÷ that of the best plan`, unit: '×', values: ratios.map(({ cost }) => cost), target },
        { what: `${line}: the same for the worst map`, unit: '×', values: ratios.map(({ worstCost }) => worstCost) },
      );
    }
    for (const density of densities) {
      const large = seeds.map((seed) => {
        const random = createSimRandom(1000 + seed);
        return Array.from({ length: isShort ? 10 : 100 }, () => randomMap(largeValues, density, random));
      });
      const plans = large.map(plansOf);
      const what = `${largeValues} values in ${Math.round(density * 100)} % of the registers`;
      const row = (name: string, values: readonly number[], unit = 'requests'): void =>
        void figures.push({ what: `${what}: ${name}`, unit, values });
      row(
        'one request per value',
        plans.map((list) => mean(list, ({ oneRequestPerTag }) => oneRequestPerTag.requests)),
      );
      row(
        'adjacent only',
        plans.map((list) => mean(list, ({ adjacentOnly }) => adjacentOnly.requests)),
      );
      row(
        'ours',
        plans.map((list) => mean(list, ({ requests }) => requests.length)),
      );
      row(
        'fewest possible',
        large.map((list) => list.reduce((sum, map) => sum + fewestRequests(spansIn(map), 125), 0) / list.length),
      );
      row(
        'expected time, ours ÷ adjacent only',
        plans.map((list) => mean(list, ({ cycleMs }) => cycleMs) / mean(list, (plan) => plan.adjacentOnly.cycleMs)),
        '×',
      );
    }
    const profiles = profilePlans();
    const total = (of: (plan: DevicePlan) => number): readonly number[] => [profiles.reduce((sum, [, plan]) => sum + of(plan), 0)];
    const what = `a device of each of the ${profiles.length} shipped Modbus profiles`;
    figures.push(
      { what: `${what}: one request per value`, unit: 'requests', values: total(({ oneRequestPerTag }) => oneRequestPerTag.requests) },
      { what: `${what}: adjacent only`, unit: 'requests', values: total(({ adjacentOnly }) => adjacentOnly.requests) },
      { what: `${what}: ours`, unit: 'requests', values: total(({ requests }) => requests.length) },
    );
    return {
      figures,
      notes: [
        `The best plan is found by trying every way to put the values of a map into requests of at most 125 registers: ${maps} maps of 2 to ${smallValues} values at each of the densities ${densities.join(', ')}, another seed in each run.`,
        'Ours is the plan before the first request: time per request and per register as the driver expects it. More requests than the fewest possible are no mistake: reading along many unused registers takes longer than another request.',
        'Computed, not timed. The cycle times of `nhip edge plan` are from the same code.',
        `Profiles, as values → requests of adjacent only → ours: ${profiles
          .map(([id, plan]) => `${id} ${plan.tags} → ${plan.adjacentOnly.requests} → ${plan.requests.length}`)
          .join('; ')}.`,
      ],
    };
  },
};
