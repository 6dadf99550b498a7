import { notMeasured } from './not-measured.ts';
import { sunspecModels } from './sunspec-profiles.ts';

/**
 * Finds what a SunSpec device has (SunSpec Device Information Model Specification 1.1, §6.5 and 6.6): the marker "SunS" at one of three
 * addresses, then one model after the other, each with its id and its length, up to the id 0xFFFF. Only reads; every walk ends, whatever
 * the device answers.
 */

/** Reads holding registers; undefined when the device refuses that address. Rejects when it does not answer at all. */
export type ReadRegisters = (start: number, count: number) => Promise<readonly number[] | undefined>;

export interface FoundModel {
  readonly id: number;
  /** Address of the register with the id: the `base` of its profile. */
  readonly base: number;
  /** Registers after the two of the header, as the device says. */
  readonly length: number;
  /** There is a profile for it, and it is long enough. */
  readonly hasProfile: boolean;
  /** Metrics of the profile for which the device said at the time that it has no value. */
  readonly notMeasured: readonly string[];
}

export interface SunspecDevice {
  /** Where the marker is. */
  readonly base: number;
  readonly manufacturer: string;
  readonly model: string;
  readonly version: string;
  readonly serial: string;
  readonly models: readonly FoundModel[];
  /** What is wrong with the chain or with a model, in plain sentences. */
  readonly problems: readonly string[];
}

const baseAddresses = [40_000, 50_000, 0] as const;
const endOfChain = 0xffff;
const commonModel = 1;
/** No device has as many. */
const maxModels = 256;
const addressCount = 65_536;
/** One request. */
const maxRead = 125;

/** The device behind `read`; undefined when it is none of SunSpec. */
export async function discoverSunspec(read: ReadRegisters): Promise<SunspecDevice | undefined> {
  for (const base of baseAddresses) {
    const marker = await read(base, 2);
    if (marker?.[0] === 0x5375 && marker[1] === 0x6e53) return walk(read, base);
  }
  return undefined;
}

async function walk(read: ReadRegisters, base: number): Promise<SunspecDevice> {
  const models: FoundModel[] = [];
  const problems: string[] = [];
  let identity: Identity = { manufacturer: '', model: '', version: '', serial: '' };
  let at = base + 2;
  for (;;) {
    const header = await readHeader(read, at);
    if (typeof header === 'string') {
      if (header !== 'end') problems.push(header);
      break;
    }
    const { id, length } = header;
    const next = at + 2 + length;
    if (id === 0) problems.push(`at ${at} there is no model (id 0): the chain is broken there`);
    else if (next > addressCount)
      problems.push(`model ${id} at ${at} says that it is ${length} registers long: that is beyond the last register`);
    else if (models.length >= maxModels) problems.push(`there are more than ${maxModels} models: the rest was not looked at`);
    else {
      if (id === commonModel) identity = (await readIdentity(read, at, length)) ?? identity;
      models.push(await look(read, { id, base: at, length }, problems));
      at = next;
      continue;
    }
    break;
  }
  return { base, ...identity, models, problems };
}

/** The header of the model at an address, `end` at the end of the chain, or what is wrong. */
async function readHeader(read: ReadRegisters, at: number): Promise<{ readonly id: number; readonly length: number } | string> {
  if (at >= addressCount) return 'the chain goes up to the last register without an end';
  const broken = `the chain breaks off at ${at}: the device does not let that register be read`;
  // Some devices end with the id alone, at the last register that they have.
  const pair = at + 2 <= addressCount ? await read(at, 2) : undefined;
  const [id, length] = pair ?? (await read(at, 1)) ?? [];
  if (id === endOfChain) return 'end';
  return id === undefined || length === undefined ? broken : { id, length };
}

async function look(read: ReadRegisters, place: Pick<FoundModel, 'id' | 'base' | 'length'>, problems: string[]): Promise<FoundModel> {
  const { id, base, length } = place;
  const model = sunspecModels.get(id);
  if (model === undefined) return { ...place, hasProfile: false, notMeasured: [] };
  if (length < model.length) {
    problems.push(`model ${id} at ${base} says that it is ${length} registers long; it has ${model.length}: it was left out`);
    return { ...place, hasProfile: false, notMeasured: [] };
  }
  const registers = await readBlock(read, base, model.length + 2);
  return { ...place, hasProfile: true, notMeasured: registers === undefined ? [] : notMeasured(model, registers) };
}

/** In as many requests as it takes; undefined when a part is refused. */
async function readBlock(read: ReadRegisters, start: number, count: number): Promise<readonly number[] | undefined> {
  const registers: number[] = [];
  while (registers.length < count) {
    const part = await read(start + registers.length, Math.min(maxRead, count - registers.length));
    if (part === undefined || part.length === 0) return undefined;
    registers.push(...part);
  }
  return registers;
}

interface Identity {
  readonly manufacturer: string;
  readonly model: string;
  readonly version: string;
  readonly serial: string;
}

/** Of the common model: texts at fixed places after the header (model 1: Mn, Md, Opt, Vr, SN). */
async function readIdentity(read: ReadRegisters, base: number, length: number): Promise<Identity | undefined> {
  const registers = length < 64 ? undefined : await readBlock(read, base + 2, 64);
  if (registers === undefined) return undefined;
  const text = (from: number, count: number): string => {
    const bytes = Buffer.alloc(count * 2);
    for (const [i, register] of registers.slice(from, from + count).entries()) bytes.writeUInt16BE(register, i * 2);
    return bytes.toString('latin1').replace(/\0.*$/s, '').trim();
  };
  return { manufacturer: text(0, 16), model: text(16, 16), version: text(40, 8), serial: text(48, 16) };
}
