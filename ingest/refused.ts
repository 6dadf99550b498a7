import type { LogBus } from '@nhip/core/log/log-bus';
import type { Clock } from '@nhip/core/process/env';
import { encodeDeadLetter } from '@nhip/core/telemetry/dead-letter';
import { encodeRefusedSamples, type RefusedSampleRecord } from '@nhip/core/telemetry/refused-samples';
import type { RejectRow } from '@nhip/core/telemetry/rejects';
import type { Loss } from '@nhip/core/wire/loss';
import type { RefusedSample } from '@nhip/stores/history-store';
import { LossList } from './loss-rows.ts';
import type { Work } from './work.ts';

/** Rows in one letter: its record stays well below what a log takes. */
const maxRowsPerLetter = 1000;
const latestTimeMs = 8.64e15;

interface Group {
  readonly index: number;
  /** Row in the batch at which the samples of the log record begin. */
  readonly fromRow: number;
  /** Whether the log record is a dead letter that came back. */
  readonly isReplay: boolean;
  readonly refused: RefusedSample[];
}

/**
 * Samples that the store will never take become dead letters with reason `storeRefused`, those of one log record together. The message
 * itself is not at hand any more: the letter's record holds the samples as they were decoded. Resolves, when the letters are on disk,
 * with the losses to write; calling it again for rows that are kept already writes no second letter.
 */
export async function keepRefused(
  work: Work,
  refused: readonly RefusedSample[],
  deps: { readonly clock: Clock; readonly sourceLog: string; readonly deadLetters: Pick<LogBus, 'append'> },
): Promise<readonly Loss[]> {
  const { clock, deadLetters, sourceLog } = deps;
  const nowMs = clock.now();
  const losses = new LossList();
  const letters: { readonly bytes: Uint8Array; readonly rows: readonly number[] }[] = [];
  const groups = bySource(work, refused);
  for (const group of groups) {
    const samples = group.refused.map(({ row }) => sampleOf(work, row));
    const rows = samples.map((sample, place): RejectRow => {
      const timeMs = Math.abs(sample.timeMs) <= latestTimeMs ? sample.timeMs : nowMs;
      return { machine: sample.machine, metric: sample.metric, samples: 1, fromMs: timeMs, toMs: timeMs, places: [[place, place + 1]] };
    });
    const edge = edgeOf(samples[0]);
    const source = { edge, detail: 'storeRefused', stream: '', seqFrom: 0, seqTo: 0, atMs: nowMs };
    for (const row of rows) losses.addDead(source, row, 1);
    const { index, fromRow } = group;
    const first = group.refused[0];
    if (first === undefined || work.keptRows.has(first.row)) continue;
    const letter = { reason: 'storeRefused' as const, detail: first.reason.slice(0, 300), samples: rows.length, rows, sourceLog };
    const record = encodeRefusedSamples(samples, edge, nowMs);
    letters.push({
      bytes: encodeDeadLetter({ ...letter, sourceIndex: index, part: first.row - fromRow, record }),
      rows: group.refused.map(({ row }) => row),
    });
  }
  const results = await Promise.allSettled(
    letters.map(async ({ bytes, rows }) => {
      await deadLetters.append(bytes);
      for (const row of rows) work.keptRows.add(row);
    }),
  );
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  work.refused += refused.length;
  for (const { isReplay, refused: again } of groups) work.refusedAgain += isReplay ? again.length : 0;
  return losses.list();
}

/** Kept and new rows apart, so that a letter never holds both. */
function bySource(work: Work, refused: readonly RefusedSample[]): readonly Group[] {
  const groups: Group[] = [];
  let at = 0;
  for (const item of [...refused].sort((a, b) => a.row - b.row)) {
    while ((work.sources[at + 1]?.fromRow ?? Number.POSITIVE_INFINITY) <= item.row) at++;
    const { index, fromRow, isReplay } = work.sources[at] ?? { index: work.fromIndex, fromRow: 0, isReplay: false };
    const last = groups.at(-1);
    const isSame =
      last !== undefined &&
      last.index === index &&
      last.refused.length < maxRowsPerLetter &&
      work.keptRows.has(last.refused[0]?.row ?? -1) === work.keptRows.has(item.row);
    if (isSame) last.refused.push(item);
    else groups.push({ index, fromRow, isReplay, refused: [item] });
  }
  return groups;
}

function sampleOf({ batch }: Work, row: number): RefusedSampleRecord {
  return {
    ...batch.series.at(batch.seriesId[row] as number),
    timeMs: batch.timeMs[row] as number,
    tick: batch.tick[row] as number,
    value: batch.value(row),
    quality: batch.quality[row] as number,
  };
}

function edgeOf(sample: RefusedSampleRecord | undefined): string {
  const machine = sample?.machine ?? '';
  return machine.slice(0, machine.lastIndexOf('/'));
}
