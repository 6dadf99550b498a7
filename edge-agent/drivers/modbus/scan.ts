import type { Clock } from '@nhip/core/process/env';
import type { Table } from './address.ts';
import { endpointForms, parseEndpoint } from './endpoint.ts';
import { ModbusExceptionError, ModbusTimeoutError, ModbusWrongAnswerError } from './errors.ts';
import { type DeviceIdentity, identify } from './identify.ts';
import { type Exchange, maxReadCount, type ReadRequest, readExchange } from './pdu.ts';
import { createTransport, type ModbusTransport, type TransportOptions } from './transport.ts';

/** Looking around on an endpoint that nobody has described yet. Only functions that read are used. */

export interface ScanTarget {
  /** As in the config: `tcp://host:port`, `rtu:///dev/ttyUSB0`, … */
  readonly endpoint: string;
  readonly serial: TransportOptions['serial'];
  readonly clock: Clock;
}

export interface UnitRange {
  /** First and last unit id; 1 to 247 are what the standard allows on a serial line. */
  readonly from: number;
  readonly to: number;
  /** For one answer. */
  readonly timeoutMs: number;
}

export interface FoundUnit {
  readonly unit: number;
  /** What it says about itself (function 43/14); undefined when it says nothing. */
  readonly identity: DeviceIdentity | undefined;
  /** How long its first answer took. */
  readonly answerMs: number;
}

/** Holding registers of one unit: the values, or undefined when it refuses that address (exceptions 2 and 3). */
export type ReadHolding = (start: number, count: number) => Promise<readonly number[] | undefined>;

export interface ProbeOptions {
  readonly unit: number;
  readonly table: Table;
  /** First and last address. */
  readonly from: number;
  readonly to: number;
  readonly timeoutMs: number;
  /** What is not known after so many requests stays unknown. */
  readonly maxRequests: number;
}

export interface ProbeReport {
  /** Addresses that answer, [first, last], in order. */
  readonly readable: readonly (readonly [number, number])[];
  /** Addresses that `maxRequests` did not suffice for. */
  readonly unknown: readonly (readonly [number, number])[];
  readonly requests: number;
}

/** Exceptions by which a gateway says that nobody answers there. */
const nobodyThere: readonly number[] = [10, 11];

/** Whether what became of a request means that no unit is there: no answer, or a gateway that says so. */
export function saysNobodyIsThere(error: unknown): boolean {
  if (error instanceof ModbusExceptionError) return nobodyThere.includes(error.exceptionCode);
  return error instanceof ModbusTimeoutError || error instanceof ModbusWrongAnswerError;
}

/**
 * Asks one unit id after the other whether anybody is there: any answer counts, an exception too (but not the ones by which a gateway
 * says that nobody is). Calls `onFound` as it goes; resolves with the number of ids that were asked. Rejects when the endpoint
 * cannot be reached, with the signal's reason, or with RangeError for a text that is no endpoint.
 */
export async function scanUnits(
  target: ScanTarget,
  range: UnitRange,
  onFound: (found: FoundUnit) => void,
  signal: AbortSignal,
): Promise<number> {
  return withTransport(target, range.timeoutMs, signal, async (send) => {
    let asked = 0;
    for (let unit = range.from; unit <= range.to; unit++) {
      asked++;
      const startMs = target.clock.monotonic();
      if (!(await isThere(unit, send))) continue;
      const answerMs = target.clock.monotonic() - startMs;
      onFound({ unit, answerMs, identity: await identityOf(unit, send) });
    }
    return asked;
  });
}

async function isThere(unit: number, send: Send): Promise<boolean> {
  try {
    await send(readExchange({ unit, table: 'holding', start: 0, count: 1 }));
    return true;
  } catch (error) {
    if (saysNobodyIsThere(error)) return false;
    if (error instanceof ModbusExceptionError) return true;
    throw error;
  }
}

/** A device that falls silent at a function that it does not know has none. */
async function identityOf(unit: number, send: Send): Promise<DeviceIdentity | undefined> {
  try {
    return await identify(unit, send);
  } catch (error) {
    if (error instanceof ModbusTimeoutError) return undefined;
    throw error;
  }
}

/**
 * Finds which addresses of a table a unit answers for, by halving what it refuses. Rejects as `scanUnits` does, and with
 * `ModbusTimeoutError` when the unit does not answer.
 */
export async function probeRegisters(target: ScanTarget, options: ProbeOptions, signal: AbortSignal): Promise<ProbeReport> {
  const { unit, table, from, to, maxRequests } = options;
  return withTransport(target, options.timeoutMs, signal, async (send) => {
    let requests = 0;
    const readable: Range[] = [];
    const unknown: Range[] = [];
    /** First in, first out: what is large is asked before what is small, so that a budget that ends leaves the picture coarse, not half. */
    const waiting = chunks(from, to, maxReadCount(table));
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [first, last] = next;
      if (requests >= maxRequests) {
        unknown.push(next);
        continue;
      }
      requests++;
      const count = last - first + 1;
      if (await answers({ unit, table, start: first, count }, send)) readable.push(next);
      else if (count > 1) waiting.push([first, first + (count >> 1) - 1], [first + (count >> 1), last]);
    }
    return { readable: joined(readable), unknown: joined(unknown), requests };
  });
}

async function answers(request: ReadRequest, send: Send): Promise<boolean> {
  try {
    await send(readExchange(request));
    return true;
  } catch (error) {
    if (error instanceof ModbusExceptionError && !nobodyThere.includes(error.exceptionCode)) return false;
    throw error;
  }
}

/** Exceptions by which a device says that it has no such registers. */
const noSuchRegisters: readonly number[] = [2, 3];

/**
 * Lends `work` the holding registers of one unit over one connection. A read rejects with `ModbusTimeoutError` when the unit does not
 * answer and with `ModbusExceptionError` for any other exception; otherwise rejects as `scanUnits` does.
 */
export async function withHolding<T>(
  target: ScanTarget,
  { unit, timeoutMs }: { readonly unit: number; readonly timeoutMs: number },
  signal: AbortSignal,
  work: (read: ReadHolding) => Promise<T>,
): Promise<T> {
  return withTransport(target, timeoutMs, signal, (send) =>
    work(async (start, count) => {
      try {
        const bytes = await send(readExchange({ unit, table: 'holding', start, count }));
        return Array.from({ length: count }, (_, i) => bytes.readUInt16BE(i * 2));
      } catch (error) {
        if (error instanceof ModbusExceptionError && noSuchRegisters.includes(error.exceptionCode)) return undefined;
        throw error;
      }
    }),
  );
}

export type Send = (exchange: Exchange) => Promise<Buffer>;
type Range = readonly [first: number, last: number];

/** Lends `work` one connection, on which each answer is waited for `timeoutMs`. Rejects as `scanUnits` does, and as `work` does. */
export async function withTransport<T>(
  target: ScanTarget,
  timeoutMs: number,
  signal: AbortSignal,
  work: (send: Send) => Promise<T>,
): Promise<T> {
  const endpoint = parseEndpoint(target.endpoint);
  if (endpoint === undefined) throw new RangeError(`"${target.endpoint}" is no endpoint; use ${endpointForms}`);
  const options = { timeoutMs, acceptsAnyUnit: false, serial: target.serial, lateAnswerMs: timeoutMs };
  const transport: ModbusTransport = createTransport(endpoint, options, target.clock);
  try {
    await transport.connect(signal);
    return await work((exchange) => transport.send(exchange, signal));
  } finally {
    transport.close();
  }
}

function chunks(from: number, to: number, size: number): Range[] {
  const all: Range[] = [];
  for (let first = from; first <= to; first += size) all.push([first, Math.min(to, first + size - 1)]);
  return all;
}

/** Sorted, with neighbours made one. */
function joined(ranges: readonly Range[]): readonly Range[] {
  const all: [number, number][] = [];
  for (const [first, last] of [...ranges].sort((a, b) => a[0] - b[0])) {
    const before = all.at(-1);
    if (before !== undefined && before[1] === first - 1) before[1] = last;
    else all.push([first, last]);
  }
  return all;
}
