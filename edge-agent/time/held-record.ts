import { type Quality, quality, type Value } from '@nhip/core/wire/sample';
import { z } from 'zod';
import type { Reading } from '../driver.ts';

/** Readings of one device that wait for the time to be known. JSON: there are few of them, and they leave soon. */
export interface HeldRecord {
  readonly device: string;
  readonly bootId: string;
  /** Time stamp minus time since boot, of provisional time stamps. */
  readonly offsetMs: number;
  readonly readings: readonly HeldReading[];
}

export interface HeldReading {
  readonly reading: Reading;
  /** The time stamp is provisional: it is to be corrected. */
  readonly isProvisional: boolean;
}

const value = z.union([z.number(), z.string(), z.boolean(), z.null(), z.strictObject({ integer: z.string().regex(/^-?\d{1,20}$/) })]);
const code = z.literal(Object.values(quality));
/** metric, value, time stamp, quality, provisional, historical */
const row = z.tuple([z.string(), value, z.number(), code, z.boolean(), z.boolean()]);
const record = z.strictObject({ device: z.string(), bootId: z.string(), offsetMs: z.number(), readings: z.array(row) });

export function encodeHeld({ device, bootId, offsetMs, readings }: HeldRecord): Uint8Array {
  const rows = readings.map(({ reading, isProvisional }): z.infer<typeof row> => {
    const plain = typeof reading.value === 'bigint' ? { integer: reading.value.toString() } : reading.value;
    return [reading.metric, plain, reading.timestampMs, reading.quality, isProvisional, reading.isHistorical === true];
  });
  return new TextEncoder().encode(JSON.stringify({ device, bootId, offsetMs, readings: rows }));
}

/** Undefined when it is no such record. */
export function decodeHeld(bytes: Uint8Array): HeldRecord | undefined {
  try {
    const { readings, ...rest } = record.parse(JSON.parse(new TextDecoder().decode(bytes)));
    return { ...rest, readings: readings.map(fromRow) };
  } catch {
    return undefined;
  }
}

function fromRow([metric, plain, timestampMs, q, isProvisional, isHistorical]: z.infer<typeof row>): HeldReading {
  const restored: Value = typeof plain === 'object' && plain !== null ? BigInt(plain.integer) : plain;
  const reading = { metric, value: restored, timestampMs, quality: q as Quality, ...(isHistorical ? { isHistorical } : {}) };
  return { reading, isProvisional };
}
