import { RetryableError } from '@nhip/core/process/errors';
import type { SampleBatch } from '@nhip/core/telemetry/sample-batch';
import type { Loss } from '@nhip/core/wire/loss';
import type { Checkpoint, RefusedSample, StoreWrite } from '../history-store.ts';
import { createBatchSender } from './batch-sender.ts';
import type { FoundCheckpoint } from './checkpoints.ts';
import type { InfluxServer } from './influx-server.ts';
import { blobLines, checkpointLine, lossLines } from './kept-points.ts';
import { createSampleEncoder, unfitReason } from './sample-lines.ts';
import type { SeriesRegistry } from './series-registry.ts';
import type { WholeSegments } from './whole-segments.ts';

/** One write, over all its tries: they must give the same points, or one that was carried out late would count twice. */
interface Attempt {
  readonly checkpoint: Checkpoint;
  readonly version: number;
  readonly decoderVersion: number;
  /** Reasons by row of what was kept elsewhere, and the losses that this gave the first time. */
  readonly refused: Map<number, string>;
  readonly refusedLosses: Loss[];
  /** The server has answered for every sample: it is not asked again, or one that it has could be refused this time. */
  areSamplesDone: boolean;
}

/** Larger than any that is usual: what must be there together goes in one body, which the server writes as a whole. */
const maxKeptLength = 8_000_000;

/**
 * Class D2: samples first; when the server has said that they are on its disk, losses and the checkpoint in one body. A crash between the
 * two lets ingest read the same records again, which gives the same points.
 */
export function createWriter(
  server: InfluxServer,
  registry: SeriesRegistry,
  segments: WholeSegments,
  maxInFlight: number,
): {
  /** Where the store stands; before the first `write`. */
  begin(found: FoundCheckpoint | undefined): void;
  ahead(batch: SampleBatch): void;
  write(write: StoreWrite): Promise<void>;
  /** Resolves when nothing is on the way that no write waits for. */
  settled(): Promise<void>;
} {
  const sender = createBatchSender(server, createSampleEncoder(), maxInFlight, segments.readyForSamples);
  let version = 0;
  let decoderVersion = 0;
  let storedDecoder: Uint8Array | undefined;
  let attempt: Attempt | undefined;

  function attemptFor(checkpoint: Checkpoint): Attempt {
    if (attempt !== undefined && isSame(attempt.checkpoint, checkpoint)) return attempt;
    version++;
    // After a write whose end is not known, what it wrote of the decoder is not known either: it is written again, under a new version.
    if (attempt !== undefined || checkpoint.decoder !== storedDecoder) {
      decoderVersion++;
      storedDecoder = undefined;
    }
    attempt = { checkpoint, version, decoderVersion, refused: new Map(), refusedLosses: [], areSamplesDone: false };
    return attempt;
  }

  async function keep(refused: readonly RefusedSample[], current: Attempt, write: StoreWrite): Promise<void> {
    const fresh = refused.filter(({ row }) => !current.refused.has(row));
    if (fresh.length === 0) return;
    current.refusedLosses.push(...(await write.keepRefused(fresh)));
    for (const { row, reason } of fresh) current.refused.set(row, reason);
  }

  return {
    ahead: (batch) => sender.ahead(batch, () => unfitSamples(batch)),
    settled: () => sender.settled(),

    begin(found) {
      // Beyond what the process before may have sent without an answer.
      version = (found?.version ?? 0) + 1;
      decoderVersion = (found?.decoderVersion ?? 0) + 1;
      storedDecoder = undefined;
      attempt = undefined;
    },

    async write(write) {
      const { batch, checkpoint } = write;
      // At once, so that the batch after it can go ahead.
      const early = sender.takeAhead(batch);
      const current = attemptFor(checkpoint);
      // The caller counts anew with every try. The losses stay those of the first: with another time they would be other points.
      if (current.refused.size > 0) await write.keepRefused(Array.from(current.refused, ([row, reason]) => ({ row, reason })));
      if (!current.areSamplesDone) {
        // To its end first: a batch that is still being sent must not be given back to the caller, who uses it again.
        const arrived = await early?.refused;
        await keep(early?.unfit ?? unfitSamples(batch), current, write);
        await keep(arrived ?? (await sender.send(batch, new Set(current.refused.keys()))), current, write);
        current.areSamplesDone = true;
      }
      registry.addFrom(batch);
      const { lines: seriesLines, stored } = registry.unstored();
      await segments.readyForKept();
      await sendKept(server, [
        ...(checkpoint.decoder === storedDecoder ? [] : blobLines('decoder', current.decoderVersion, checkpoint.decoder)),
        ...seriesLines,
        ...lossLines([...write.losses, ...current.refusedLosses], current.version),
        ...blobLines('repeats', current.version, checkpoint.repeats),
        checkpointLine(checkpoint, current.version, current.decoderVersion),
      ]);
      stored();
      storedDecoder = checkpoint.decoder;
      attempt = undefined;
    },
  };
}

function isSame(a: Checkpoint, b: Checkpoint): boolean {
  return a.nextIndex === b.nextIndex && Buffer.compare(a.repeats, b.repeats) === 0;
}

/** Samples that InfluxDB could never say, each with the reason. */
export function unfitSamples(batch: SampleBatch): readonly RefusedSample[] {
  const refused: RefusedSample[] = [];
  for (let row = 0; row < batch.length; row++) {
    const reason = unfitReason(batch, row);
    if (reason !== undefined) refused.push({ row, reason });
  }
  return refused;
}

/** Sends lines in their order, the checkpoint last, in one body when it can be one. */
async function sendKept(server: InfluxServer, lines: readonly string[], maxLength = maxKeptLength): Promise<void> {
  for (let from = 0; from < lines.length; ) {
    let to = from;
    let text = '';
    do text += lines[to++];
    while (to < lines.length && text.length + (lines[to] ?? '').length <= maxLength);
    const answer = await server.write('kept', text);
    if (answer.kind === 'tooLarge' && to - from > 1) {
      await sendKept(server, lines.slice(from, to), text.length / 2);
    } else if (answer.kind !== 'stored') {
      const reason = answer.kind === 'refused' ? answer.reason : 'it takes no body of this size; raise max-body-size in its [http] section';
      throw new RetryableError('store.checkpointRefused', `InfluxDB does not take the checkpoint: ${reason}`);
    }
    from = to;
  }
}
