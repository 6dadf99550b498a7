import type { LogBus } from '@nhip/core/log/log-bus';
import { type LogReader, openLogReader } from '@nhip/core/log/log-reader';
import type { Part } from '@nhip/core/process/lifecycle';
import type { Log } from '@nhip/core/process/log';
import { createNodeEnv } from '@nhip/core/process/node-env';
import type { Tracing } from '@nhip/core/process/tracing';
import { createIngest, type Ingest } from '@nhip/ingest/ingest';
import { ingestReader } from '@nhip/ingest/work-writer';
import { openCommandLog } from './command-log.ts';
import { createFurtherStores } from './further-stores.ts';
import { createHistory } from './history.ts';
import { openDeadLetters } from './log-bus.ts';
import { ingestFamilies } from './metrics/ingest-metrics.ts';
import { createRoleHttp, type ListenAt } from './role-http.ts';
import { type IngestStatus, publishStatus } from './role-status.ts';
import type { ServerSetup } from './server-config.ts';
import { whenThere } from './when-there.ts';

export interface IngestRole {
  readonly parts: readonly Part[];
  /** Known when the parts have started. */
  readonly started: { httpPort: number | undefined };
}

/** Ingest as a process of its own: the broker's log by its files, its own folder for dead letters and commands. Opens nothing yet. */
export function composeIngest(
  { config, folder }: ServerSetup,
  deps: {
    readonly log: Log;
    readonly listen: ListenAt | undefined;
    readonly tracing?: Tracing | undefined;
    onFatal(error: Error): void;
  },
): IngestRole {
  const { log, onFatal, listen, tracing } = deps;
  const env = createNodeEnv(folder.ingest);
  const { clock } = env;
  const store = createHistory(config.store, folder);
  const started: IngestRole['started'] = { httpPort: undefined };
  const waiting = new AbortController();
  let problem: string | undefined = 'starting';
  const untilThere = {
    clock,
    log,
    signal: waiting.signal,
    waiting: (reason: string | undefined) => {
      problem = reason;
    },
  };
  let reader: LogReader | undefined;
  let deadLetters: LogBus | undefined;
  let commands: Awaited<ReturnType<typeof openCommandLog>> | undefined;
  let ingest: Ingest | undefined;

  function status(): IngestStatus | undefined {
    if (ingest === undefined) return undefined;
    const { received, stored, repeated, deadLettered, deadLetteredByReason, lost, lostByReason, lagMs, nextIndex, ...store } =
      ingest.stats();
    const counts = { received, stored, repeated, deadLettered, deadLetteredByReason, lost, lostByReason: { ...lostByReason } };
    const told = { storeDownSinceMs: store.storeDownSinceMs, storeProblem: store.storeProblem, furtherStores: [...further.stats()] };
    return { atMs: clock.now(), nextIndex: ingest.checkpoint()?.nextIndex ?? nextIndex, ...counts, lagMs, ...told };
  }

  function problems(): readonly string[] {
    const down = ingest?.stats().storeProblem ?? null;
    return [...(problem === undefined ? [] : [problem]), ...(down === null ? [] : [`the store takes nothing: ${down.text}`])];
  }

  const further = createFurtherStores(config.furtherStores, {
    env,
    ingestConfig: config.ingest,
    log,
    logSource: () => reader,
    beginAt: () => ingest?.checkpoint(),
    sendNodeCommand: (...command) => commands?.send(...command),
  });
  const http =
    listen === undefined
      ? undefined
      : createRoleHttp(listen, { problems, families: () => ingestFamilies(status(), ingest?.stats(), deadLetters?.stats()) });
  const parts: readonly Part[] = [
    {
      name: 'http',
      start: async () => {
        started.httpPort = await http?.start();
      },
      stop: async () => http?.stop(),
    },
    {
      name: 'log',
      start: async () => {
        const logEnv = createNodeEnv(folder.server);
        reader = await whenThere(() => openLogReader(logEnv, 'log', { reader: ingestReader, log, onFatal }), untilThere);
        deadLetters = await openDeadLetters(env, config.ingest.deadLetterMaxBytes, log, onFatal);
        commands = await openCommandLog(env, log, onFatal);
      },
      stop: async () => {
        waiting.abort();
        await commands?.close();
        await deadLetters?.close();
        await reader?.close();
      },
    },
    {
      name: 'store',
      start: async () => void (await whenThere(() => store.open(), untilThere)),
      stop: () => {
        waiting.abort();
        return store.close();
      },
    },
    {
      name: 'ingest',
      start: async () => {
        if (reader === undefined || deadLetters === undefined || commands === undefined) return;
        const role = createIngest(config.ingest, {
          clock,
          log,
          logBus: reader,
          store,
          deadLetters,
          sendNodeCommand: commands.send,
          tracing,
          onFatal,
        });
        ingest = role;
        await whenThere(() => role.start(), untilThere);
      },
      stop: async () => {
        waiting.abort();
        await ingest?.stop();
      },
    },
    further,
    publishStatus(folder.ingest, { clock, log, status }),
  ];
  return { parts, started };
}
