import { existsSync } from 'node:fs';
import { freePort } from './free-port.ts';
import { startProcess } from './nhip.ts';
import { until } from './until.ts';

const executable = '/usr/bin/victoria-metrics';

/** Whether Debian's VictoriaMetrics (1.79.5, `apt-get install victoria-metrics`) is here; a test without it is skipped by name. */
export const hasVictoriaMetrics = existsSync(executable);

/** A real VictoriaMetrics of one node as a process of its own. Data stays in its folder: start it there again, on the same port. */
export interface VictoriaMetrics {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** SIGTERM, then waits. */
  stop(): Promise<void>;
  /** SIGKILL, then waits. */
  kill(): Promise<void>;
}

/** Starts it with its data in `dir`, on `port` of 127.0.0.1 or any free one; resolves when it is up
 * for two seconds (the product turns a younger one away). `flags` come last and win. */
export async function startVictoriaMetrics(dir: string, port?: number, flags: readonly string[] = []): Promise<VictoriaMetrics> {
  const httpPort = port ?? (await freePort());
  const own = [`-storageDataPath=${dir}`, `-httpListenAddr=127.0.0.1:${httpPort}`, '-search.latencyOffset=0s', '-retentionPeriod=10y'];
  const process = startProcess([
    executable,
    ...own,
    '-dedup.minScrapeInterval=1ms',
    '-memory.allowedBytes=128MB',
    '-loggerLevel=WARN',
    ...flags,
  ]);
  let isEnded = false;
  void process.ended.then(() => {
    isEnded = true;
  });
  const url = `http://127.0.0.1:${httpPort}`;
  const isUp = async (): Promise<boolean> => {
    const text = await (await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(1000) })).text();
    return Number(/^vm_app_uptime_seconds (\d+)$/m.exec(text)?.[1]) >= 2;
  };
  try {
    await until('victoria-metrics is up', () => isEnded || isUp(), 30_000);
    if (isEnded) throw new Error('victoria-metrics ended at once');
  } catch (error) {
    await process.kill();
    throw new Error(`victoria-metrics did not start in ${dir}: ${process.stderr().slice(-1500)}`, { cause: error });
  }
  return { url, port: httpPort, pid: process.pid, stop: async () => void (await process.stop()), kill: process.kill };
}

/** One series of an export: its labels, and its raw samples after deduplication. */
export interface ExportedSeries {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly number[];
  readonly timestamps: readonly number[];
}

/** What the server shows of a selector, without any code of the product, with what it has in memory only. */
export async function exportSeries(url: string, selector: string): Promise<readonly ExportedSeries[]> {
  await (await fetch(`${url}/internal/force_flush`)).text();
  const body = new URLSearchParams({ 'match[]': selector, end: String(Date.now() / 1000 + 86_400) });
  const text = await (await fetch(`${url}/api/v1/export`, { method: 'POST', body })).text();
  const found = new Map<string, { metric: ExportedSeries['metric']; values: number[]; timestamps: number[] }>();
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const part = JSON.parse(line) as ExportedSeries;
    // A long series comes in several lines.
    const key = JSON.stringify(part.metric);
    const series = found.get(key) ?? { metric: part.metric, values: [], timestamps: [] };
    series.values.push(...part.values);
    series.timestamps.push(...part.timestamps);
    found.set(key, series);
  }
  return [...found.values()];
}

/** Writes everything that it has to its disk, as it does by itself later. */
export async function flushToDisk(url: string): Promise<void> {
  const { status } = (await (await fetch(`${url}/snapshot/create`)).json()) as { readonly status: string };
  if (status !== 'ok') throw new Error(`VictoriaMetrics made no snapshot: ${status}`);
}
