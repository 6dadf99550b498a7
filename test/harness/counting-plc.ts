import { startModbusServer } from './modbus-server.ts';

/** One answer of the PLC: `registers` numbers (uint32), all with the same value. */
export interface Answer {
  readonly unit: number;
  readonly registers: number;
  readonly value: number;
  readonly atMs: number;
}

/**
 * A PLC that never says the same thing twice: each read of a unit gives the next number (uint32) in every pair of holding
 * registers that was asked for, from 0 on, and every answer goes into a journal before it is sent. Built on modbus-serial, a
 * stack that the product's driver does not use.
 */
export interface CountingPlc {
  readonly port: number;
  readonly journal: readonly Answer[];
  /** From the call on nothing more is served or journalled; connections stay open and get an exception as answer. */
  switchOff(): void;
  /** Switched off, and gone. */
  close(): Promise<void>;
}

export interface CountingPlcOptions {
  readonly port?: number;
  /** Last value of each unit, to go on after a restart. */
  readonly counters?: ReadonlyMap<number, number>;
  /** Called before the answer is sent. */
  served?(answer: Answer): void;
}

const maxRegisters = 50;

export async function startCountingPlc(options: CountingPlcOptions = {}): Promise<CountingPlc> {
  const counters = new Map(options.counters);
  const journal: Answer[] = [];
  let isOff = false;
  const refuse = (): never => {
    throw Object.assign(new Error('only even numbers of registers from 0 on'), { modbusErrorCode: 2 });
  };
  const server = await startModbusServer(
    {
      getMultipleHoldingRegisters: (address: number, length: number, unit: number) => {
        if (isOff || address !== 0 || length % 2 !== 0 || length > 2 * maxRegisters) refuse();
        const value = (counters.get(unit) ?? 0) + 1;
        counters.set(unit, value);
        const answer = { unit, registers: length / 2, value, atMs: Date.now() };
        journal.push(answer);
        options.served?.(answer);
        return Array.from({ length }, (_, i) => (i % 2 === 0 ? value >>> 16 : value & 0xffff));
      },
    },
    options.port,
  );
  return {
    port: server.port,
    journal,
    switchOff: () => {
      isOff = true;
    },
    close: () => {
      isOff = true;
      return server.close();
    },
  };
}

/** The connection config of an edge agent that polls `units` of it, one number each. */
export function countingConnection(port: number, units: readonly number[], intervalMs: number): object {
  return {
    id: 'plc',
    driver: 'modbus',
    endpoint: `tcp://127.0.0.1:${port}`,
    devices: units.map((unit) => countingDevice(unit, 1, intervalMs)),
  };
}

/** One device of such a connection: `registers` numbers of one unit in one read. */
export function countingDevice(unit: number, registers: number, intervalMs: number): object {
  return {
    id: deviceOf(unit),
    unit,
    intervalMs,
    tags: Array.from({ length: registers }, (_, i) => ({ metric: metricOf(i), address: `holding:${i * 2}:uint32` })),
  };
}

export function deviceOf(unit: number): string {
  return `U${unit}`;
}

/** The metric of the register pair `i` of a counting device. */
export function metricOf(i: number): string {
  return i === 0 ? 'Count/Total' : `Count/${i}`;
}
