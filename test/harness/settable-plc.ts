import { startModbusServer } from './modbus-server.ts';

/** A PLC whose holding registers a test sets. Built on modbus-serial, a stack that the product's driver does not use. */
export interface SettablePlc {
  readonly port: number;
  set(register: number, value: number): void;
  /** Breaks every connection and refuses new ones until `listen`. */
  close(): Promise<void>;
}

export async function startSettablePlc(port = 0): Promise<SettablePlc> {
  const registers = new Map<number, number>();
  const server = await startModbusServer({ getHoldingRegister: (address: number) => registers.get(address) ?? 0 }, port);
  return { ...server, set: (register, value) => void registers.set(register, value) };
}

/** Machine states as the PLC of these tests numbers them. */
export const stateNumbers = { 1: 'running', 2: 'idle', 3: 'fault' } as const;

/** One machine: register 0 state, 1 reason, 2–3 good pieces (uint32), 4 temperature in 0.1 °C (int16). */
export function machineConnection(port: number, id = 'M1', intervalMs = 100): object {
  return {
    id: 'plc',
    driver: 'modbus',
    endpoint: `tcp://127.0.0.1:${port}`,
    devices: [
      {
        id,
        displayName: 'Máy thử',
        kind: 'Máy phay',
        line: 'L1',
        unit: 1,
        intervalMs,
        tags: [
          { metric: 'State', address: 'holding:0:uint16', enum: stateNumbers },
          { metric: 'State/Reason', address: 'holding:1:uint16', enum: { 0: '', 7: 'toolBroken' } },
          { metric: 'Count/Good', address: 'holding:2:uint32' },
          { metric: 'Temp/Oil', address: 'holding:4:int16', scale: 0.1, unitName: '°C', deadband: 0.05 },
        ],
      },
    ],
  };
}
