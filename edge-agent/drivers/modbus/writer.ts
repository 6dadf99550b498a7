import { ConfigError } from '@nhip/core/process/errors';
import type { Value } from '@nhip/core/wire/sample';
import type { Reading, TagWrite } from '../../driver.ts';
import type { ModbusAddress } from './address.ts';
import type { ModbusDeviceConfig } from './config.ts';
import { createDecoder } from './decode.ts';
import type { DevicePoints } from './device-points.ts';
import { type Encoded, encode } from './encode.ts';
import { ModbusExceptionError } from './errors.ts';
import {
  type Exchange,
  maskWriteExchange,
  readExchange,
  writeCoilExchange,
  writeCoilsExchange,
  writeRegisterExchange,
  writeRegistersExchange,
} from './pdu.ts';
import type { Point } from './point.ts';
import { rawValueOf } from './raw-value.ts';
import { powerOfTen } from './validity.ts';
import { writeProblem } from './write-problem.ts';

type Send = (exchange: Exchange) => Promise<Buffer>;

/** Writes the tags of one device, each followed by a read of the same place. */
export interface DeviceWriter {
  /** Nothing else may be sent on the connection meanwhile. Rejects as `Driver.write` does. */
  write(write: TagWrite, send: Send, now: () => number): Promise<Reading>;
}

export function createDeviceWriter(device: ModbusDeviceConfig, points: DevicePoints): DeviceWriter {
  const { unit } = device;
  /** Set when the device answered that it has no function 22. */
  let hasNoMaskWrite = false;

  const refuse = (metric: string, why: string): ConfigError => new ConfigError(`${device.id}/${metric}`, [why]);

  const readRaw = async (address: ModbusAddress, send: Send): Promise<Value> => {
    const { table, start, count } = address;
    return createDecoder(address)(await send(readExchange({ unit, table, start, count })), 0);
  };

  const writeBits = async (address: number, mask: number, value: number, send: Send): Promise<void> => {
    if (!hasNoMaskWrite && device.writeFunction === 'auto') {
      try {
        await send(maskWriteExchange(unit, address, ~mask & 0xffff, value));
        return;
      } catch (error) {
        if (!(error instanceof ModbusExceptionError) || error.exceptionCode !== 1) throw error;
        hasNoMaskWrite = true;
      }
    }
    const before = (await send(readExchange({ unit, table: 'holding', start: address, count: 1 }))).readUInt16BE(0);
    await writeRegisters(address, registerBytes((before & ~mask) | value), send);
  };

  const writeRegisters = async (start: number, bytes: Buffer, send: Send): Promise<void> => {
    const isSingle = bytes.length === 2 && device.writeFunction === 'auto';
    await send(isSingle ? writeRegisterExchange(unit, start, bytes.readUInt16BE(0)) : writeRegistersExchange(unit, start, bytes));
  };

  const put = async (start: number, encoded: Encoded, send: Send): Promise<void> => {
    if (encoded.kind === 'registers') return writeRegisters(start, encoded.bytes, send);
    if (encoded.kind === 'bits') return writeBits(start, encoded.mask, encoded.value, send);
    const coil = device.writeFunction === 'auto' ? writeCoilExchange : writeCoilsExchange;
    await send(coil(unit, start, encoded.isOn));
  };

  const encodeFor = (point: Point, write: TagWrite, power: number): Encoded => {
    try {
      return encode(point.address, rawValueOf(point.tag, point.address, write.value, power));
    } catch (error) {
      if (error instanceof RangeError) throw refuse(write.metric, error.message);
      throw error;
    }
  };

  return {
    write: async (write, send, now) => {
      const point = points.all.find(({ metric }) => metric === write.metric);
      const problem = point === undefined ? 'there is no such metric' : writeProblem(device, write);
      if (point === undefined || problem !== undefined) throw refuse(write.metric, problem ?? '');
      const rawFactor = point.factor === undefined ? undefined : await readRaw(point.factor, send);
      const power = point.factor === undefined ? 0 : powerOfTen(rawFactor);
      if (power === undefined) throw refuse(write.metric, `its scale factor register says ${rawFactor}, which is no power of ten`);
      await put(point.address.start, encodeFor(point, write, power), send);
      return point.reading(await readRaw(point.address, send), rawFactor, now());
    },
  };
}

function registerBytes(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value & 0xffff);
  return bytes;
}
