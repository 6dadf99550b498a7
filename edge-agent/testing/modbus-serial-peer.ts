import { ServerTCP } from 'modbus-serial';
import { closedPort } from './listen-locally.ts';

/** A Modbus TCP server by modbus-serial, a stack that the driver does not use. */
export interface ModbusSerialPeer {
  readonly port: number;
  /** Holding registers; addresses that are not in it answer with exception 2. Input registers are the same. */
  readonly registers: Map<number, number>;
  /** What was written, oldest first. */
  readonly writes: readonly { readonly address: number; readonly value: number }[];
  stop(): Promise<void>;
}

/** Answers for `unit` only; for others it is silent, as devices are. */
export async function startModbusSerialPeer(unit: number, registers: Map<number, number>): Promise<ModbusSerialPeer> {
  const writes: { readonly address: number; readonly value: number }[] = [];
  const read = (address: number): number => {
    const value = registers.get(address);
    // The library takes an exception code from what is thrown.
    if (value === undefined) throw Object.assign(new Error('illegal data address'), { modbusErrorCode: 2 });
    return value;
  };
  const refuse = (): never => {
    throw Object.assign(new Error('illegal data address'), { modbusErrorCode: 2 });
  };
  const port = await closedPort();
  const server = new ServerTCP(
    {
      getHoldingRegister: read,
      getInputRegister: read,
      getCoil: refuse,
      getDiscreteInput: refuse,
      setRegister: (address: number, value: number) => {
        writes.push({ address, value });
        registers.set(address, value);
      },
    },
    { host: '127.0.0.1', port, unitID: unit },
  );
  server.on('socketError', () => {});
  await new Promise<void>((resolve) => server.on('initialized', () => resolve()));
  return { port, registers, writes, stop: () => new Promise((resolve) => server.close(() => resolve())) };
}
