import { quality } from '@nhip/core/wire/sample';
import { z } from 'zod';
import type { Reading } from '../driver.ts';
import type { HeldReading, HeldRecord } from './held-record.ts';

/** How provisional times become real ones. Plain, so that it can be kept: what was begun is finished with the same times. */
export const correction = z.strictObject({
  bootId: z.string(),
  /** Time since boot plus this is the time; null when it never became known. */
  anchorMs: z.number().nullable(),
  /** Provisional times of boots that never knew the time, from the first to the last, and when the boot began that did. */
  earlier: z.strictObject({ fromMs: z.number(), toMs: z.number(), untilMs: z.number() }).nullable(),
});
export type Correction = z.infer<typeof correction>;

/**
 * The reading with its real time. Readings of this boot are exact. Those of boots that never knew the time are spread evenly over
 * the time in which they can have been made, and their quality is at best stale: their time is uncertain. So it is for those of a
 * boot that is given up waiting.
 */
export function corrected({ bootId, offsetMs }: HeldRecord, { reading, isProvisional }: HeldReading, how: Correction): Reading {
  if (!isProvisional) return reading;
  if (bootId === how.bootId && how.anchorMs !== null) {
    return { ...reading, timestampMs: Math.round(reading.timestampMs - offsetMs + how.anchorMs) };
  }
  return {
    ...reading,
    timestampMs: spread(reading.timestampMs, how),
    quality: reading.quality === quality.good ? quality.stale : reading.quality,
  };
}

function spread(timestampMs: number, { earlier }: Correction): number {
  if (earlier === null) return timestampMs;
  const { fromMs, toMs, untilMs } = earlier;
  if (untilMs <= toMs || toMs <= fromMs) return timestampMs;
  return Math.round(fromMs + ((timestampMs - fromMs) * (untilMs - fromMs)) / (toMs - fromMs));
}
