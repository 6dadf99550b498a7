import { createRequire } from 'node:module';
import type { ServerTCP as ServerTcpType } from 'modbus-serial';

const { ServerTCP } = createRequire(import.meta.url)('modbus-serial') as { ServerTCP: typeof ServerTcpType };

/** A Modbus TCP PLC with holding registers that the bench sets; every unit id shows the same registers. */
export interface SettablePlc {
  readonly port: number;
  readonly registers: Uint16Array;
  close(): Promise<void>;
}

/** `beforeRead` may change the registers that a read is about to get. */
export async function startSettablePlc(size: number, beforeRead: (registers: Uint16Array) => void = () => {}): Promise<SettablePlc> {
  const registers = new Uint16Array(size);
  // modbus-serial asks for single registers by another name, and knows callback functions by their number of parameters.
  const vector = {
    getHoldingRegister: (address: number, _unit: number) => {
      beforeRead(registers);
      return registers[address] ?? 0;
    },
    getMultipleHoldingRegisters: (address: number, length: number, _unit: number) => {
      beforeRead(registers);
      return [...registers.subarray(address, address + length)];
    },
  };
  const options = { host: '127.0.0.1', port: 0, unitID: 255 };
  const server = new ServerTCP(vector as unknown as ConstructorParameters<typeof ServerTcpType>[0], options);
  server.on('socketError', () => undefined);
  server.on('serverError', () => undefined);
  const raw = (server as unknown as { _server: import('node:net').Server })._server;
  if (!raw.listening) await new Promise((resolve) => raw.once('listening', resolve));
  const address = raw.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    registers,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
