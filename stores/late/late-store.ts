import type { Clock, Timer } from '@nhip/core/process/env';
import { PermanentError } from '@nhip/core/process/errors';
import type { SampleBatch } from '@nhip/core/telemetry/sample-batch';
import type { RefusedSample, SampleStore } from '../history-store.ts';
import { createBatchSender } from '../influxdb/batch-sender.ts';
import type { InfluxServer } from '../influxdb/influx-server.ts';
import type { SampleEncoder } from '../influxdb/sample-lines.ts';
import { type CheckpointPlace, createLateCheckpoints, readCheckpointFile, writeCheckpointFile } from './late-checkpoints.ts';

/** What one look at a server tells. */
export interface ServerLook {
  /** Its process: another text is another process, which may lack what the one before had answered for. */
  readonly process: string;
}

/** A server that answers before it is sure to keep what it was sent. Sending the same again must be harmless. */
export interface LateServer<Look extends ServerLook> {
  /** Rejects with PermanentError when it is not the server that the store is for, with RetryableError when nobody answers. */
  look(): Promise<Look>;
  readonly write: InfluxServer['write'];
}

interface LateStoreOptions<Look extends ServerLook> extends Required<Pick<SampleStore, 'name' | 'cannot'>> {
  /** Where the samples go, as the checkpoint file names it: another place begins anew. */
  readonly target: string;
  readonly durableAfterMs: number;
  readonly maxInFlight: number;
  readonly server: LateServer<Look>;
  readonly encoder: SampleEncoder;
  readonly clock: Clock;
  readonly place: CheckpointPlace;
  /** Samples that the server would drop without a word, or that it could never say. */
  unfit(batch: SampleBatch, look: Look): readonly RefusedSample[];
  /** How many samples are left out because of what `cannot` says. */
  leftOut(batch: SampleBatch): number;
  /** Ends connections. */
  disconnect(): void;
}

const lookEveryMs = 5000;

/**
 * A store of class D1 that is written only. Its server answers before the samples are sure to be there after a crash, so the checkpoint is
 * kept here, in a small file, and only moves when `durableAfterMs` have passed since the reply and the same process of the server still
 * runs. When another one answers, it is set back.
 */
export function createLateStore<Look extends ServerLook>(options: LateStoreOptions<Look>): SampleStore {
  const { server, clock, place, target, durableAfterMs } = options;
  const sender = createBatchSender(server, options.encoder, options.maxInFlight);
  const late = createLateCheckpoints(durableAfterMs);
  let seen: Look | undefined;
  let isSetBack = false;
  /** The last request failed: the server may be another one now. */
  let isDoubtful = false;
  let leftOut = 0;
  let timer: Timer | undefined;
  let writing: Promise<void> = Promise.resolve();
  let looking: Promise<void> = Promise.resolve();

  /** Whether the process that answered us still runs. Rejects when nobody answers. */
  async function lookAgain(before: Look): Promise<void> {
    const now = await server.look();
    isDoubtful = false;
    if (now.process === before.process) {
      if (seen !== undefined) seen = now;
    } else {
      isSetBack = true;
      late.forget();
    }
  }

  /** Moves the checkpoint in the file as far as everything is durable. A server that is away is asked again later. */
  async function moveCheckpoint(before: Look): Promise<void> {
    const atMs = clock.monotonic();
    await lookAgain(before);
    const durable = isSetBack ? undefined : late.takeDurable(atMs);
    if (durable !== undefined) await writeCheckpointFile(place, target, durable);
  }

  function lookLater(): void {
    timer = clock.after(lookEveryMs, () => {
      if (seen === undefined) return;
      looking = moveCheckpoint(seen).then(undefined, () => {
        isDoubtful = true;
      });
      void looking.then(() => (seen === undefined ? undefined : lookLater()));
    });
  }

  async function writeAll(batch: SampleBatch, keepRefused: (refused: readonly RefusedSample[]) => Promise<unknown>): Promise<void> {
    if (seen === undefined) throw new PermanentError('store.closed', `The store ${target} is not open`);
    const before = seen;
    const early = sender.takeAhead(batch);
    const arrived = await early?.refused;
    if (early !== undefined && arrived === undefined) isDoubtful = true;
    if (isDoubtful) await lookAgain(before);
    const unfit = early?.unfit ?? options.unfit(batch, before);
    if (unfit.length > 0) await keepRefused(unfit);
    try {
      const never = arrived ?? (await sender.send(batch, new Set(unfit.map(({ row }) => row))));
      if (never.length > 0) await keepRefused(never);
    } catch (error) {
      isDoubtful = true;
      throw error;
    }
    leftOut += options.leftOut(batch);
  }

  return {
    name: options.name,
    durability: { class: 'D1', delayMs: durableAfterMs },
    cannot: options.cannot,
    isSetBack: () => isSetBack,
    leftOut: () => leftOut,

    async open() {
      if (seen === undefined) {
        seen = await server.look();
        isSetBack = false;
        isDoubtful = false;
        late.forget();
        lookLater();
      }
      return readCheckpointFile(place, target);
    },

    ahead(batch) {
      const look = seen;
      if (look !== undefined && !isDoubtful) sender.ahead(batch, () => options.unfit(batch, look));
    },

    write({ batch, checkpoint, keepRefused }) {
      writing = writeAll(batch, keepRefused).then(() => {
        if (!isSetBack) late.replied(checkpoint, clock.monotonic());
      });
      return writing;
    },

    async close() {
      seen = undefined;
      timer?.cancel();
      await Promise.allSettled([writing, looking, sender.settled()]);
      options.disconnect();
    },
  };
}
