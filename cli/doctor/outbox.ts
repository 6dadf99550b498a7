import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readSlots } from '@nhip/core/log/cursor-file';
import { parseSegmentFileName } from '@nhip/core/log/segment-header';
import { createNodeDisk } from '@nhip/core/process/node-disk';
import { type Finding, note, ok, sizeText, wrong } from './finding.ts';

export interface OutboxFacts {
  readonly bytes: number;
  /** Bytes of the segments that are not sent as a whole: an upper bound of what waits. */
  readonly waitingBytes: number;
}

export function outboxFindings(facts: OutboxFacts | undefined, maxBytes: number): readonly Finding[] {
  if (facts === undefined) return [note('outbox', 'There is no outbox yet: the agent has not run on this data folder.', 'Check --data.')];
  const { bytes, waitingBytes } = facts;
  const share = Math.round((100 * waitingBytes) / maxBytes);
  const says = `At most ${sizeText(waitingBytes)} wait to be sent, ${share} % of the quota (${sizeText(bytes)} on the disk).`;
  if (share >= 95)
    return [wrong('outbox', says, 'The oldest samples are being given up: bring the line to the broker back, or raise outbox.maxBytes.')];
  if (share >= 50) return [note('outbox', says, 'Bring the line to the broker back before it is full, or raise outbox.maxBytes.')];
  return [ok('outbox', says)];
}

/** Looks at the files of a segment log; works while its process runs. undefined when there is none. */
export async function logFacts(folder: string, reader: string): Promise<OutboxFacts | undefined> {
  if (!existsSync(join(folder, 'cursors'))) return undefined;
  const segments = readdirSync(folder)
    .flatMap((name) => {
      const parsed = parseSegmentFileName(name);
      return parsed === undefined ? [] : [{ firstIndex: parsed.firstIndex, bytes: sizeOf(join(folder, name)) }];
    })
    .sort((a, b) => a.firstIndex - b.firstIndex);
  const next = await cursorOf(folder, reader);
  const waiting = segments.filter((_, i) => (segments[i + 1]?.firstIndex ?? Number.POSITIVE_INFINITY) > next);
  const sum = (list: readonly { readonly bytes: number }[]): number => list.reduce((total, { bytes }) => total + bytes, 0);
  return { bytes: sum(segments), waitingBytes: sum(waiting) };
}

async function cursorOf(folder: string, reader: string): Promise<number> {
  const file = await createNodeDisk(folder).open('cursors', 'read');
  try {
    return (await readSlots(file))?.cursors.get(reader) ?? 0;
  } finally {
    await file.close();
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
