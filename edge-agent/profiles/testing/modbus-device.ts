import { ServerTCP } from 'modbus-serial';
import { closedPort } from '../../testing/listen-locally.ts';

/**
 * A device on Modbus TCP, unit 1, by modbus-serial. Its registers are written by a test from the device's own documentation; whatever is
 * not written holds 0x7FC1, which is NaN, a nonsense number or no enumeration, so that a wrong address is seen.
 */
export interface RegisterImage {
  float32(address: number, value: number): RegisterImage;
  float64(address: number, value: number): RegisterImage;
  uint16(address: number, value: number): RegisterImage;
  int16(address: number, value: number): RegisterImage;
  uint32(address: number, value: number): RegisterImage;
  int64(address: number, value: bigint): RegisterImage;
  text(address: number, value: string, registers: number): RegisterImage;
  registers(start: number, count: number): readonly number[];
}

const untouched = 0x7fc1;

export function createImage(): RegisterImage {
  const words = new Map<number, number>();
  const put = (address: number, bytes: Buffer): RegisterImage => {
    for (let i = 0; i < bytes.length; i += 2) words.set(address + i / 2, bytes.readUInt16BE(i));
    return image;
  };
  const bytes = (count: number, fill: (buffer: Buffer) => void): Buffer => {
    const buffer = Buffer.alloc(count);
    fill(buffer);
    return buffer;
  };
  const image: RegisterImage = {
    float32: (address, value) =>
      put(
        address,
        bytes(4, (b) => void b.writeFloatBE(value)),
      ),
    float64: (address, value) =>
      put(
        address,
        bytes(8, (b) => void b.writeDoubleBE(value)),
      ),
    uint16: (address, value) =>
      put(
        address,
        bytes(2, (b) => void b.writeUInt16BE(value)),
      ),
    int16: (address, value) =>
      put(
        address,
        bytes(2, (b) => void b.writeInt16BE(value)),
      ),
    uint32: (address, value) =>
      put(
        address,
        bytes(4, (b) => void b.writeUInt32BE(value)),
      ),
    int64: (address, value) =>
      put(
        address,
        bytes(8, (b) => void b.writeBigInt64BE(value)),
      ),
    text: (address, value, registers) =>
      put(
        address,
        bytes(registers * 2, (b) => void b.write(value, 'latin1')),
      ),
    registers: (start, count) => Array.from({ length: count }, (_, i) => words.get(start + i) ?? untouched),
  };
  return image;
}

export interface ModbusDevice {
  readonly port: number;
  /** Requests of the driver: first register and count. */
  readonly requests: readonly (readonly [start: number, count: number])[];
  stop(): Promise<void>;
}

/** `table` is the only one that the device has; requests for which `refuses` says so get exception 2 (illegal data address). */
export async function startModbusDevice(
  table: 'input' | 'holding',
  image: RegisterImage,
  refuses: (start: number, count: number) => boolean = () => false,
): Promise<ModbusDevice> {
  const requests: (readonly [number, number])[] = [];
  const answer = (asked: 'input' | 'holding') => (start: number, count: number) => {
    requests.push([start, count]);
    if (asked !== table || refuses(start, count)) throw Object.assign(new Error('illegal address'), { modbusErrorCode: 2 });
    return [...image.registers(start, count)];
  };
  const port = await closedPort();
  const server = new ServerTCP(
    {
      getMultipleInputRegisters: answer('input'),
      getMultipleHoldingRegisters: answer('holding'),
      getInputRegister: (start: number) => answer('input')(start, 1)[0] ?? untouched,
      getHoldingRegister: (start: number) => answer('holding')(start, 1)[0] ?? untouched,
    },
    { host: '127.0.0.1', port, unitID: 1 },
  );
  server.on('socketError', () => {});
  await new Promise<void>((resolve) => server.on('initialized', () => resolve()));
  return { port, requests, stop: () => new Promise((resolve) => server.close(() => resolve())) };
}
