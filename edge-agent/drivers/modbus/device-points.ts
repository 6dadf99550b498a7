import type { Log } from '@nhip/core/process/log';
import { type ModbusAddress, type Table, tables } from './address.ts';
import type { ModbusConfig, ModbusDeviceConfig } from './config.ts';
import type { RequestCost } from './cost.ts';
import { createDecoder, type Decoder } from './decode.ts';
import { isBitTable } from './pdu.ts';
import { type PlanLimits, type Span, spansOf } from './plan.ts';
import { createPoint, type Point } from './point.ts';

/** All that is read from one device: its tags, and the scale factor registers that they need. */
export interface DevicePoints {
  /** One per tag, in the order of the config. */
  readonly all: readonly Point[];
  /** Sorted as `spansOf` does. The points of a span are indices: of `all`, and beyond its end of scale factors. */
  readonly spans: Readonly<Record<Table, readonly Span[]>>;
  /** The scale factor with that index; undefined for tags. */
  factor(index: number): { readonly key: string; readonly decode: Decoder } | undefined;
  /** Names the scale factor of a point. */
  factorKey(point: Point): string;
}

export function createDevicePoints(device: ModbusDeviceConfig, log: Log): DevicePoints {
  const all = device.tags.map((tag) => createPoint(tag, device.byteOrder, log));
  const byKey = new Map(all.flatMap(({ factor }) => (factor === undefined ? [] : [[keyOf(factor), factor] as const])));
  const factors = [...byKey].map(([key, address]) => ({ key, address, decode: createDecoder(address) }));
  const addresses = [...all.map((point) => point.address), ...factors.map((factor) => factor.address)];
  const [coil, discrete, input, holding] = tables.map((table) => spansOf(addresses, table));
  return {
    all,
    spans: { coil: coil ?? [], discrete: discrete ?? [], input: input ?? [], holding: holding ?? [] },
    factor: (index) => factors[index - all.length],
    factorKey: (point) => (point.factor === undefined ? '' : keyOf(point.factor)),
  };
}

function keyOf(address: ModbusAddress): string {
  return `${address.table}:${address.start}:${address.order}`;
}

/** What the planner may do: as the config says, else what pays. */
export function limitsFor(table: Table, config: ModbusConfig, cost: RequestCost): PlanLimits {
  const isBit = isBitTable(table);
  const maxCount = isBit ? config.maxBits : config.maxWords;
  const maxGap = isBit ? config.maxGapBits : config.maxGapWords;
  // With a limit of its own the fewest requests are wanted, and among those the shortest.
  if (maxGap !== undefined) return { maxCount, maxGap, requestCost: 1, addressCost: 1e-6 };
  return { maxCount, maxGap: Number.POSITIVE_INFINITY, requestCost: cost.requestMs, addressCost: isBit ? cost.wordMs / 16 : cost.wordMs };
}
