import type { SampleBatch } from '@nhip/core/telemetry/sample-batch';
import type { RefusedSample } from '../history-store.ts';
import type { InfluxServer } from './influx-server.ts';
import type { SampleEncoder, SkippedRows } from './sample-lines.ts';
import { sendSamples } from './sample-sender.ts';
import { createSlots } from './slots.ts';

/** Sends batches to a server where the same samples may be written twice; while one is written the next may go ahead. */
export interface BatchSender {
  /** Begins with the samples of a write to come. Nothing happens while another one is ahead. Never throws. */
  ahead(batch: SampleBatch, unfitOf: () => readonly RefusedSample[]): void;
  /** What went ahead of this batch, told once. */
  takeAhead(batch: SampleBatch): SentAhead | undefined;
  /** As `sendSamples`. What came first goes first. */
  send(batch: SampleBatch, skip: SkippedRows): Promise<readonly RefusedSample[]>;
  /** Resolves when nothing is on the way that went ahead. */
  settled(): Promise<void>;
}

export interface SentAhead {
  /** Was not sent. */
  readonly unfit: readonly RefusedSample[];
  /** The samples that the server will never take; undefined: something went wrong, and they are to be sent again. */
  readonly refused: Promise<readonly RefusedSample[] | undefined>;
}

/** `ready` comes before the first request of a batch. */
export function createBatchSender(
  server: Pick<InfluxServer, 'write'>,
  encoder: SampleEncoder,
  maxInFlight: number,
  ready?: (batch: SampleBatch) => Promise<void>,
): BatchSender {
  const slots = createSlots(maxInFlight);
  let begun: (SentAhead & { readonly batch: SampleBatch }) | undefined;
  const underWay = new Set<Promise<unknown>>();
  let batches = 0;

  async function send(batch: SampleBatch, skip: SkippedRows): Promise<readonly RefusedSample[]> {
    const rank = batches++;
    if (ready !== undefined) await ready(batch);
    const share = { run: (job: () => Promise<void>) => slots.run(rank, job), isWanted: () => slots.waiting() > 0 };
    return sendSamples(server, encoder, batch, skip, maxInFlight, share);
  }

  return {
    send,
    ahead(batch, unfitOf) {
      if (begun !== undefined) return;
      const unfit = unfitOf();
      const refused = send(batch, new Set(unfit.map(({ row }) => row))).catch(() => undefined);
      begun = { batch, unfit, refused };
      underWay.add(refused);
      void refused.then(() => underWay.delete(refused));
    },
    takeAhead(batch) {
      if (begun?.batch !== batch) return undefined;
      const taken = begun;
      begun = undefined;
      return taken;
    },
    async settled() {
      await Promise.all(underWay);
    },
  };
}
