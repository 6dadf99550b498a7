import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LogBus } from '@nhip/core/log/log-bus';
import { openSegmentLog } from '@nhip/core/log/segment-log';
import { silentLog } from '@nhip/core/process/log';
import { createNodeEnv } from '@nhip/core/process/node-env';
import { encodeLogMessage } from '@nhip/core/telemetry/log-record';
import { SampleBatch, SeriesTable } from '@nhip/core/telemetry/sample-batch';
import type { MachineView, PipelineStats } from '@nhip/core/wire/live';
import type { Loss } from '@nhip/core/wire/loss';
import type { Value } from '@nhip/core/wire/sample';
import type { HistoryStore } from '@nhip/stores/history-store';
import { storeWrite } from '@nhip/stores/testing/store-write';
import { type LiveConfig, liveConfig } from '../config.ts';
import { createLive, type Live, type LiveDeps } from '../live.ts';
import { createMemoryStore } from './memory-store.ts';
import { plant } from './plant.ts';

export const adminPassword = 'đúng là bí mật 2026';

/** A whole live service on a free port: real log on disk, real HTTP, history in memory. */
export interface Rig {
  readonly live: Live;
  readonly store: HistoryStore;
  readonly logBus: LogBus;
  readonly dataDir: string;
  /** Commands for edges, as they went out. */
  readonly sent: readonly { readonly edge: string; readonly payload: Uint8Array }[];
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** undefined: no TLS. */
  readonly tlsPort: number | undefined;
  /** Publishes values of a machine, of now or another time (ms), as a JSON publisher does. */
  publish(machine: string, values: Readonly<Record<string, unknown>>, timeMs?: number): Promise<void>;
  /** Logs `admin` in; resolves with the Cookie header. */
  login(): Promise<string>;
  machine(id: string): Promise<MachineView>;
  close(): Promise<void>;
}

export interface RigOptions {
  readonly config?: Partial<LiveConfig>;
  /** Samples that the history has before the start. */
  readonly history?: readonly HistorySample[];
  readonly losses?: readonly Loss[];
  readonly webDir?: string;
  /** Default: one in memory. */
  readonly store?: HistoryStore;
  readonly machineChanged?: LiveDeps['machineChanged'];
}

export type HistorySample = readonly [machine: string, metric: string, timeMs: number, value: Value];

const stats: PipelineStats = {
  ...{ received: 3, stored: 2, repeated: 1, evicted: 0, lagMs: 5 },
  ...{ deadLettered: 1, deadLetteredByReason: { notANumber: 1 }, lost: 7, lostByReason: { outboxQuota: 7 } },
  ...{ logBytes: 1000, logQuotaBytes: 4000, logRecordsBehind: 6, storeDownSinceMs: null, logFullSinceMs: null },
  ...{ storeProblem: null, furtherStores: [] },
};

export async function startRig(options: RigOptions = {}): Promise<Rig> {
  const dataDir = await mkdtemp(join(tmpdir(), 'nhip-live-'));
  const env = createNodeEnv(dataDir);
  const log = silentLog();
  const logBus = await openSegmentLog(env, 'log', { readers: [], maxBytes: 64 * 1024 * 1024, log });
  const store = options.store ?? createMemoryStore();
  if (options.history !== undefined) await writeHistory(store, options.history, options.losses);
  const sent: Rig['sent'][number][] = [];
  const live = createLive(liveConfig.parse({ port: 0, tickMs: 20, ...options.config }), {
    env,
    log,
    store,
    checkpoint: () => undefined,
    logBus,
    plant,
    stats: () => stats,
    sendNodeCommand: (group, edge, payload) => void sent.push({ edge: `${group}/${edge}`, payload }),
    webDir: options.webDir ?? join(dataDir, 'no-web-app'),
    dataDir,
    adminPassword,
    version: '0.0.0-test',
    ...(options.machineChanged === undefined ? {} : { machineChanged: options.machineChanged }),
  });
  const clear = async () => {
    await live.stop();
    await logBus.close();
    await rm(dataDir, { recursive: true });
  };
  const started = await live.start().catch(async (error: unknown) => {
    await clear();
    throw error;
  });
  const url = `http://127.0.0.1:${started.port}`;
  return {
    live,
    store,
    logBus,
    dataDir,
    sent,
    url,
    tlsPort: started.tlsPort,
    async publish(machine, values, timeMs = Date.now()) {
      const payload = new TextEncoder().encode(JSON.stringify({ ts: timeMs, values }));
      await logBus.append(encodeLogMessage({ receivedMs: Date.now(), sender: 'test', topic: `json/${machine}`, payload }));
    },
    async login() {
      const body = JSON.stringify({ username: 'admin', password: adminPassword });
      const response = await fetch(`${url}/api/v1/session`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
      if (response.status !== 200) throw new Error(`login failed: ${response.status} ${await response.text()}`);
      return response.headers.getSetCookie()[0]?.split(';')[0] ?? '';
    },
    async machine(id) {
      const response = await fetch(`${url}/api/v1/machines/${encodeURIComponent(id)}`);
      return (await response.json()) as MachineView;
    },
    close: clear,
  };
}

export async function writeHistory(store: HistoryStore, samples: readonly HistorySample[], losses: readonly Loss[] = []): Promise<void> {
  const series = new SeriesTable();
  const batch = new SampleBatch(series);
  for (const [i, [machine, metric, timeMs, value]] of samples.entries()) {
    batch.push(series.id(machine, metric), timeMs, i, value, 192, false);
  }
  await store.write(storeWrite(batch, { nextIndex: 0, decoder: new TextEncoder().encode('[]'), repeats: new Uint8Array() }, losses));
}

/** A loss of one metric as the store keeps it; `change` says what matters to the test. */
export function lossOf(change: Partial<Loss>): Loss {
  return {
    ...{ edge: 'hoalac/press', machine: 'hoalac/press/M01', metric: 'Count/Good', reason: 'outboxQuota', detail: '', samples: 1 },
    ...{ stream: 'ab'.repeat(16), seqFrom: 1, seqTo: 2, fromMs: 0, toMs: 0, atMs: 0 },
    ...change,
  };
}

/** Waits until `probe` gives something, at most five seconds. */
export async function eventually<Result>(probe: () => Result | undefined | Promise<Result | undefined>): Promise<Result> {
  const untilMs = performance.now() + 5000;
  for (;;) {
    const result = await probe();
    if (result !== undefined) return result;
    if (performance.now() > untilMs) throw new Error(`not within 5 s: ${probe}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
