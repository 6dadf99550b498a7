import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '@nhip/core/process/env';
import type { Part } from '@nhip/core/process/lifecycle';
import type { Log } from '@nhip/core/process/log';
import { z } from 'zod';

/**
 * What a role says of itself to the others on this computer: `status.json` in its folder, every second. Who reads it judges its age: a role
 * that was killed says nothing more.
 */
const everyMs = 1000;
/** After this a role that says nothing counts as gone. */
export const goneAfterMs = 5000;
const fileName = 'status.json';

const problem = z.object({ code: z.string(), text: z.string() }).nullable();
const counts = z.record(z.string(), z.number());

export const ingestStatus = z.object({
  atMs: z.number(),
  /** Index of the first log record that is not stored. */
  nextIndex: z.number(),
  received: z.number(),
  stored: z.number(),
  repeated: z.number(),
  deadLettered: z.number(),
  deadLetteredByReason: counts,
  lost: z.number(),
  lostByReason: counts,
  lagMs: z.number(),
  storeDownSinceMs: z.number().nullable(),
  storeProblem: problem.default(null),
  furtherStores: z
    .array(
      z.object({
        name: z.string(),
        type: z.string(),
        downSinceMs: z.number().nullable(),
        problem,
        recordsBehind: z.number(),
        lagMs: z.number(),
        stored: z.number(),
        leftOut: z.number(),
        missedRecords: z.number(),
        upkeepProblem: z.string().nullable().default(null),
      }),
    )
    .default([]),
});
export type IngestStatus = z.infer<typeof ingestStatus>;

export const brokerStatus = z.object({ atMs: z.number(), evicted: z.number(), logFullSinceMs: z.number().nullable() });
export type BrokerStatus = z.infer<typeof brokerStatus>;

/** Writes `status()` into `folder`, at the start, every second, and at the stop. */
export function publishStatus<Status extends { readonly atMs: number }>(
  folder: string,
  deps: { readonly clock: Clock; readonly log: Log; status(): Status | undefined },
): Part {
  const abort = new AbortController();
  let running: Promise<void> | undefined;
  let isBroken = false;

  async function write(): Promise<void> {
    try {
      const status = deps.status();
      if (status === undefined) return;
      const partial = join(folder, `${fileName}.new`);
      await writeFile(partial, `${JSON.stringify(status)}\n`, { mode: 0o600 });
      await rename(partial, join(folder, fileName));
      isBroken = false;
    } catch (err) {
      if (!isBroken) deps.log.warn({ err, folder }, 'The status for other roles could not be written');
      isBroken = true;
    }
  }

  return {
    name: 'status',
    async start() {
      await write();
      running = (async () => {
        while (!abort.signal.aborted) {
          await deps.clock.sleep(everyMs, abort.signal).catch(() => undefined);
          await write();
        }
      })();
    },
    async stop() {
      abort.abort();
      await running;
    },
  };
}

/** Reads the status in `folder` every second; `last()` is undefined until there was one. */
export function followStatus<Status>(folder: string, schema: z.ZodType<Status>, clock: Clock): Part & { last(): Status | undefined } {
  const abort = new AbortController();
  let last: Status | undefined;
  let running: Promise<void> | undefined;

  async function read(): Promise<void> {
    try {
      last = schema.parse(JSON.parse(await readFile(join(folder, fileName), 'utf8')));
    } catch {
      // Not there yet, or of another version: what was known stays, and grows old.
    }
  }

  return {
    name: 'status of another role',
    last: () => last,
    async start() {
      await read();
      running = (async () => {
        while (!abort.signal.aborted) {
          await clock.sleep(everyMs, abort.signal).catch(() => undefined);
          await read();
        }
      })();
    },
    async stop() {
      abort.abort();
      await running;
    },
  };
}
