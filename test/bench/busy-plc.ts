import { startModbusServer } from '../harness/modbus-server.ts';

export interface BusyPlc {
  readonly port: number;
  close(): Promise<void>;
}

/** A PLC with floats that all change with every read: nothing is held back by report by exception. */
export function startBusyPlc(): Promise<BusyPlc> {
  const float = new DataView(new ArrayBuffer(4));
  let reads = 0;
  const register = (address: number): number => {
    float.setFloat32(0, 20 + Math.sin(reads + (address >> 1)) * 5);
    return float.getUint16((address % 2) * 2);
  };
  return startModbusServer({
    // Three parameters: modbus-serial takes a function with four for one that calls back.
    getMultipleHoldingRegisters: (address: number, length: number, _unit: number) => {
      reads++;
      return Array.from({ length }, (_, i) => register(address + i));
    },
  });
}

/** A connection with devices of `tags` floats each. */
export function busyConnection(port: number, devices: number, tags: number, intervalMs: number): object {
  return {
    id: 'busy',
    driver: 'modbus',
    endpoint: `tcp://127.0.0.1:${port}`,
    devices: Array.from({ length: devices }, (_, d) => ({
      id: `B${d + 1}`,
      unit: d + 1,
      intervalMs,
      tags: Array.from({ length: tags }, (_, i) => ({ metric: `Value/${i}`, address: `holding:${i * 2}:float32`, unitName: '°C' })),
    })),
  };
}
