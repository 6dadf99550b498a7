import { RetryableError } from '@nhip/core/process/errors';
import type { SampleBatch } from '@nhip/core/telemetry/sample-batch';
import type { RefusedSample } from '../history-store.ts';
import type { InfluxServer } from './influx-server.ts';
import type { Body, SampleEncoder, SkippedRows } from './sample-lines.ts';

const maxBodyBytes = 1_000_000;
const minBodyBytes = 100_000;
const usualBytesPerRow = 80;

/** Where several batches share what may be on the way: the part of one of them. */
export interface SlotShare {
  run(job: () => Promise<void>): Promise<void>;
  /** Somebody else has something to send. */
  isWanted(): boolean;
}

const alone: SlotShare = { run: (job) => job(), isWanted: () => false };

/**
 * Sends the samples of a batch but those in `skip`: bodies of up to 1 MB, `maxInFlight` at once, each encoded while those before it are on the way.
 * Resolves when all are answered for, with those that the server will never take, by row: a refused body is halved until the samples are
 * found, and sent again meanwhile, which is harmless. Rejects as `InfluxServer.write`, when nothing is on the way any more.
 */
export async function sendSamples(
  server: Pick<InfluxServer, 'write'>,
  encoder: SampleEncoder,
  batch: SampleBatch,
  skip: SkippedRows,
  maxInFlight: number,
  slots: SlotShare = alone,
): Promise<readonly RefusedSample[]> {
  const refused: RefusedSample[] = [];
  let accepted = 0;
  let nextRow = 0;
  let bytesPerRow = usualBytesPerRow;
  let isFailed = false;
  let prepared: Body | undefined;
  let proof: Promise<void> | undefined;

  async function send(body: Body): Promise<void> {
    if (body.lines === 0) {
      encoder.reuse(body);
      return;
    }
    const answer = await server.write('samples', body.bytes);
    if (answer.kind === 'stored') {
      // The server had all of it: nothing is on the way any more.
      encoder.reuse(body);
      accepted += body.lines;
      return;
    }
    const reason = answer.kind === 'refused' ? answer.reason : 'it alone is larger than the server takes';
    // Before thousands of samples are asked about one by one.
    if (answer.kind === 'refused') await demandProof(reason);
    if (body.lines === 1) {
      refused.push({ row: onlyRow(body, skip), reason });
      return;
    }
    const middle = Math.ceil((body.fromRow + body.toRow) / 2);
    for (const [fromRow, toRow] of [[body.fromRow, middle] as const, [middle, body.toRow] as const]) {
      await send(encoder.encode(batch, { fromRow, toRow, maxBytes: Number.POSITIVE_INFINITY }, skip));
    }
  }

  function demandProof(reason: string): Promise<void> {
    proof ??= proveThatItTakesPoints(server, reason);
    return proof;
  }

  function encodeNext(): Body {
    // Towards the end smaller ones, so that all requests end at about the same time: the next batch waits for the last, unless it is on
    // its way already.
    const share = Math.ceil(((batch.length - nextRow) * bytesPerRow) / (2 * maxInFlight));
    const maxBytes = slots.isWanted() ? maxBodyBytes : Math.min(maxBodyBytes, Math.max(minBodyBytes, share));
    const body = encoder.encode(batch, { fromRow: nextRow, toRow: batch.length, maxBytes }, skip);
    bytesPerRow = body.bytes.length / (body.toRow - nextRow);
    nextRow = body.toRow;
    return body;
  }

  /** While the server is busy with what is on the way: the next free slot has its body at once. */
  function prepare(): void {
    if (prepared === undefined && nextRow < batch.length && !isFailed) prepared = encodeNext();
  }

  const hasMore = (): boolean => (prepared !== undefined || nextRow < batch.length) && !isFailed;

  async function sendNext(): Promise<void> {
    if (!hasMore()) return;
    const body = prepared ?? encodeNext();
    prepared = undefined;
    // Not at once: the request leaves when this turn of the event loop ends.
    setImmediate(prepare);
    try {
      await send(body);
    } catch (error) {
      isFailed = true;
      throw error;
    }
  }

  async function work(): Promise<void> {
    while (hasMore()) await slots.run(sendNext);
  }

  const results = await Promise.allSettled(Array.from({ length: maxInFlight }, work));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  if (refused.length > 0 && accepted === 0) await demandProof(refused[0]?.reason ?? '');
  return refused.sort((a, b) => a.row - b.row);
}

/**
 * A server, or a proxy before it, that refuses everything is out of order: nobody's samples may become dead letters because of it.
 * Throws RetryableError `store.refusesAll`.
 */
async function proveThatItTakesPoints(server: Pick<InfluxServer, 'write'>, reason: string): Promise<void> {
  const answer = await server.write('samples', `probe ok=T ${Date.now()}000000\n`);
  if (answer.kind === 'stored') return;
  throw new RetryableError('store.refusesAll', `InfluxDB refuses every point, also a harmless one: ${reason}`);
}

function onlyRow({ fromRow, toRow }: Body, skip: SkippedRows): number {
  for (let row = fromRow; row < toRow; row++) if (!skip.has(row)) return row;
  return fromRow;
}
