import { startModbusServer } from './modbus-server.ts';

/** One value that the PLC handed out. */
export interface Served {
  readonly unit: number;
  readonly value: number;
  readonly atMs: number;
}

/**
 * A PLC that never says the same thing twice: each read of holding registers 0–1 of a unit gives the next number (uint32),
 * and every number goes into a journal. Built on modbus-serial, a stack that the product's driver does not use.
 */
export interface CountingPlc {
  readonly port: number;
  readonly journal: readonly Served[];
  /** From the call on nothing more is served or journalled. */
  close(): Promise<void>;
}

export async function startCountingPlc(): Promise<CountingPlc> {
  const counters = new Map<number, number>();
  const journal: Served[] = [];
  let isOff = false;
  const server = await startModbusServer({
    getMultipleHoldingRegisters: (address: number, length: number, unit: number) => {
      if (isOff || address !== 0 || length !== 2) throw Object.assign(new Error('only registers 0 and 1'), { modbusErrorCode: 2 });
      const value = (counters.get(unit) ?? 0) + 1;
      counters.set(unit, value);
      journal.push({ unit, value, atMs: Date.now() });
      return [value >>> 16, value & 0xffff];
    },
  });
  return {
    port: server.port,
    journal,
    close: () => {
      isOff = true;
      return server.close();
    },
  };
}

/** The connection config of an edge agent that polls `units` of it. */
export function countingConnection(port: number, units: readonly number[], intervalMs: number): object {
  return {
    id: 'plc',
    driver: 'modbus',
    endpoint: `tcp://127.0.0.1:${port}`,
    devices: units.map((unit) => ({
      id: `U${unit}`,
      unit,
      intervalMs,
      tags: [{ metric: 'Count/Total', address: 'holding:0:uint32' }],
    })),
  };
}
