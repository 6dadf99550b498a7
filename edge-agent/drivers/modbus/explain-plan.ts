import { silentLog } from '@nhip/core/process/log';
import { type Table, tables } from './address.ts';
import type { ModbusConfig, ModbusDeviceConfig } from './config.ts';
import { expectedCost, type RequestCost } from './cost.ts';
import { createDevicePoints, type DevicePoints, limitsFor } from './device-points.ts';
import { parseEndpoint } from './endpoint.ts';
import { isBitTable } from './pdu.ts';
import { type Block, planBlocks, type Span } from './plan.ts';

/** What the driver will ask for, before it has learned anything about the devices. */
export interface PlanReport {
  readonly connection: string;
  readonly endpoint: string;
  readonly devices: readonly DevicePlan[];
  /** Share of the time in which the connection is busy, estimated; above 1 the intervals cannot be kept. */
  readonly busyShare: number;
  /** One plain sentence each. */
  readonly warnings: readonly string[];
}

export interface DevicePlan {
  readonly device: string;
  readonly unit: number;
  readonly intervalMs: number;
  readonly tags: number;
  readonly requests: readonly PlannedRequest[];
  /** Registers per cycle, and how many of them no tag wants. */
  readonly registersRead: number;
  readonly registersWasted: number;
  /** The same for coils and discrete inputs. */
  readonly bitsRead: number;
  readonly bitsWasted: number;
  /** Estimated time for all requests of a cycle, ms. */
  readonly cycleMs: number;
  /** What simpler plans would need. */
  readonly oneRequestPerTag: PlanSize;
  readonly adjacentOnly: PlanSize;
}

export interface PlannedRequest {
  readonly table: Table;
  readonly start: number;
  readonly count: number;
  /** Addresses in it that no tag wants. */
  readonly wasted: number;
}

export interface PlanSize {
  readonly requests: number;
  readonly cycleMs: number;
}

/** Above this a connection has no room for repeated requests and slow answers. */
const highestBusyShare = 0.8;

/** The plan of a connection, from its configuration alone: no I/O. Times are estimates from line speed, or from a usual network. */
export function explainPlan(config: ModbusConfig): PlanReport {
  const endpoint = parseEndpoint(config.endpoint);
  if (endpoint === undefined) throw new RangeError(`${config.endpoint} is not a Modbus endpoint`);
  const expected = expectedCost(endpoint, config.serial);
  const devices = config.devices.map((device) => explainDevice(config, device, expected));
  const busyShare = devices.reduce((sum, device) => sum + device.cycleMs / device.intervalMs, 0);
  const warnings = devices
    .filter(({ cycleMs, intervalMs }) => cycleMs > intervalMs)
    .map(({ device, cycleMs, intervalMs }) => `Reading ${device} takes about ${Math.round(cycleMs)} ms, its interval is ${intervalMs} ms.`);
  if (busyShare > highestBusyShare) {
    const percent = Math.round(busyShare * 100);
    warnings.push(`The connection is busy for about ${percent} % of the time: use longer intervals, fewer tags, or another connection.`);
  }
  return { connection: config.id, endpoint: config.endpoint, devices, busyShare, warnings };
}

function explainDevice(config: ModbusConfig, device: ModbusDeviceConfig, cost: RequestCost): DevicePlan {
  const points = createDevicePoints(device, silentLog());
  const blocks = blocksOf(points, (table, spans) => planBlocks(table, spans, limitsFor(table, config, cost), new Set()));
  const adjacent = blocksOf(points, (table, spans) =>
    planBlocks(table, spans, { ...limitsFor(table, config, cost), maxGap: 0, requestCost: 1, addressCost: 1e-6 }, new Set()),
  );
  const perTag = points.all.map(({ address }) => ({
    table: address.table,
    start: address.start,
    end: address.start + address.count,
    spans: [],
  }));
  const requests = blocks.map(({ table, start, end, spans }) => ({
    table,
    start,
    count: end - start,
    wasted: end - start - covered(spans),
  }));
  const sum = (of: 'count' | 'wasted', isBits: boolean): number =>
    requests.filter(({ table }) => isBitTable(table) === isBits).reduce((total, request) => total + request[of], 0);
  const size = (all: readonly Block[]): PlanSize => ({ requests: all.length, cycleMs: timeOf(all, config, cost) });
  return {
    device: device.id,
    unit: device.unit,
    intervalMs: device.intervalMs,
    tags: device.tags.length,
    requests,
    registersRead: sum('count', false),
    registersWasted: sum('wasted', false),
    bitsRead: sum('count', true),
    bitsWasted: sum('wasted', true),
    cycleMs: timeOf(blocks, config, cost),
    oneRequestPerTag: size(perTag),
    adjacentOnly: size(adjacent),
  };
}

function blocksOf(points: DevicePoints, plan: (table: Table, spans: readonly Span[]) => readonly Block[]): readonly Block[] {
  return tables.flatMap((table) => plan(table, points.spans[table]));
}

function timeOf(blocks: readonly Block[], config: ModbusConfig, cost: RequestCost): number {
  return blocks.reduce((sum, { table, start, end }) => {
    const words = isBitTable(table) ? (end - start) / 16 : end - start;
    return sum + cost.requestMs + cost.wordMs * words + config.requestSpacingMs;
  }, 0);
}

/** Addresses that a tag wants; spans are sorted by start. */
function covered(spans: readonly Span[]): number {
  let count = 0;
  let upTo = 0;
  for (const { start, end } of spans) {
    count += Math.max(0, end - Math.max(start, upTo));
    upTo = Math.max(upTo, end);
  }
  return count;
}
