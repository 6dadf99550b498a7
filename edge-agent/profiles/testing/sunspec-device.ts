import type { RegisterImage } from './modbus-device.ts';
import { createImage } from './modbus-device.ts';

/** A chain of SunSpec models in registers, for tests. */
export interface ModelImage {
  readonly id: number;
  /** What the device says; that of `registers` when absent. */
  readonly length?: number | undefined;
  /** After the header. */
  readonly registers: readonly number[];
}

/** Writes marker, models and the end; returns the image and the base address of each model. */
export function sunspecImage(base: number, models: readonly ModelImage[], end: readonly number[] = [0xffff, 0]) {
  const image: RegisterImage = createImage()
    .uint16(base, 0x5375)
    .uint16(base + 1, 0x6e53);
  const bases: number[] = [];
  let at = base + 2;
  for (const { id, registers, length = registers.length } of models) {
    bases.push(at);
    image.uint16(at, id).uint16(at + 1, length);
    for (const [i, register] of registers.entries()) image.uint16(at + 2 + i, register);
    at += 2 + registers.length;
  }
  for (const register of end) image.uint16(at++, register);
  return { image, bases, endsAt: at };
}

/** The common model (id 1) with its texts. */
export function commonModel(manufacturer: string, model: string, version: string, serial: string): ModelImage {
  const bytes = Buffer.alloc(132);
  bytes.write(manufacturer, 0, 'latin1');
  bytes.write(model, 32, 'latin1');
  bytes.write(version, 80, 'latin1');
  bytes.write(serial, 96, 'latin1');
  return { id: 1, registers: Array.from({ length: 66 }, (_, i) => bytes.readUInt16BE(i * 2)) };
}

/** Registers of a model with only some points written, by their offset from the model's id as in the published tables. */
export function modelRegisters(length: number, fill: number, points: Readonly<Record<number, number>>): readonly number[] {
  const registers = Array.from({ length }, () => fill);
  for (const [offset, value] of Object.entries(points)) registers[Number(offset) - 2] = value & 0xffff;
  return registers;
}
