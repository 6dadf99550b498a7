import type { Loss } from '@nhip/core/wire/loss';
import type { Checkpoint, SeriesInfo } from '../history-store.ts';
import { integerField, lastMs, tag, textField, timeStamp } from './line-protocol.ts';

/**
 * Points of the retention policy that never ends.
 *
 * - `checkpoint`: a ring of the last eight, each with a version that only grows. The reader takes the highest whole one, so a request that
 *   had been given up and that a frozen server carries out later cannot set anything back.
 * - `blob`: what a checkpoint needs, in parts, by kind; a ring of eight as well, so that a new one never overwrites what the last
 *   checkpoint points to.
 * - `series`: machine and metric by number, the time stamp.
 * - `losses`: tags edge, machine, reason (few values each; the metric is a field, or bad names would make new series without end).
 *
 * The times of ring and series are numbers, not times.
 */
export const ringSlots = 8;

/** Of base64 64 KB, which is what newer versions allow in a text. */
const partBytes = 45_000;
export const slotStride = 1_000_000;

export function checkpointLine({ nextIndex }: Checkpoint, version: number, decoderVersion: number): string {
  const fields = `version=${version}i,nextIndex=${integerField(nextIndex)},decoder=${decoderVersion}i`;
  return `checkpoint ${fields} ${version % ringSlots}\n`;
}

export type BlobKind = 'decoder' | 'repeats';

export function blobLines(kind: BlobKind, version: number, bytes: Uint8Array): readonly string[] {
  const parts = Math.max(1, Math.ceil(bytes.length / partBytes));
  return Array.from({ length: parts }, (_, part) => {
    const data = Buffer.from(bytes.buffer, bytes.byteOffset + part * partBytes, Math.min(partBytes, bytes.length - part * partBytes));
    const fields = `version=${version}i,part=${part}i,parts=${parts}i,data=${textField(data.toString('base64'))}`;
    return `blob,kind=${kind} ${fields} ${(version % ringSlots) * slotStride + part}\n`;
  });
}

export function seriesLine({ id, machine, metric }: SeriesInfo): string {
  return `series id=${id}i,machine=${textField(machine)},metric=${textField(metric)} ${id}\n`;
}

const lossesPerMs = 1000;

/**
 * One line per loss. Their time is when they were reported; within a ms the write's version and their place among those of the same ms tell
 * them apart, so that writing the same again gives the same points. More than a thousand of a ms go into the next.
 */
export function lossLines(losses: readonly Loss[], version: number): readonly string[] {
  const places = new Map<number, number>();
  return losses.map((loss) => {
    const atMs = Math.min(Math.max(0, Math.floor(loss.atMs)), lastMs - 1);
    const place = places.get(atMs) ?? 0;
    places.set(atMs, place + 1);
    const tick = (version % lossesPerMs) * lossesPerMs + (place % lossesPerMs);
    const tags = `${tag('edge', loss.edge)}${tag('machine', loss.machine)}${tag('reason', loss.reason)}`;
    return `losses${tags} ${lossFields(loss)} ${timeStamp(Math.min(atMs + Math.floor(place / lossesPerMs), lastMs), tick)}\n`;
  });
}

function lossFields(loss: Loss): string {
  const texts = (['metric', 'detail', 'stream'] as const).map((key) => `${key}=${textField(loss[key])}`);
  const numbers = (['samples', 'seqFrom', 'seqTo', 'fromMs', 'toMs', 'atMs'] as const).map((key) => `${key}=${integerField(loss[key])}`);
  return [...texts, ...numbers].join(',');
}
