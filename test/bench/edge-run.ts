import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildBundle } from '../../packaging/bundle.ts';
import { atExit } from '../harness/at-exit.ts';
import { type Process, startProcess } from '../harness/nhip.ts';
import type { DataFolder, PreparedEdge } from '../harness/plant.ts';
import { until } from '../harness/until.ts';
import { type Figure, median, type Target } from './figures.ts';
import { residentMb } from './process-memory.ts';
import { processorS } from './process-use.ts';

/** What `nhip edge run --stats --json` says of each interval, as far as benches use it. */
export interface EdgeStats {
  readonly samplesPerS: number;
  readonly bytesPerSample: number | null;
  readonly syncsPerS: number;
  readonly wearBytesPerDay: number;
  readonly failures: number;
  readonly overruns: number;
  readonly lost: number;
}

const statsEveryS = 5;

let bundle: Promise<string> | undefined;

/** What is installed on a gateway, made once. */
async function builtBundle(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'nhip-bench-bundle-'));
  atExit(() => rmSync(folder, { recursive: true, force: true }));
  await buildBundle(folder, ['linux-x64']);
  return join(folder, 'nhip-edge.mjs');
}

/** The edge agent as a gateway runs it: its bundle, with the environment of the systemd unit. */
export async function startEdgeWithStats(edge: PreparedEdge, data: DataFolder): Promise<Process> {
  bundle ??= builtBundle();
  const stats = ['--json', '--stats-every', String(statsEveryS)];
  const line = [process.execPath, await bundle, 'run', '--config', edge.config, '--data', data.path, '--no-watch', ...stats];
  return startProcess(line, { MALLOC_ARENA_MAX: '1' });
}

/** All that it has said until now. */
export function statsOf(edge: Process): readonly EdgeStats[] {
  return edge
    .stdout()
    .split('\n')
    .filter((line) => line.startsWith('{"samplesPerS"'))
    .map((line) => JSON.parse(line) as EdgeStats);
}

/** Waits until a line was just said: what is read now belongs to the end of its interval. */
export async function nextStats(edge: Process): Promise<number> {
  const before = statsOf(edge).length;
  return until('the edge agent says its figures', () => statsOf(edge).length > before && statsOf(edge).length, 60_000);
}

/** A stretch of an edge agent's life in which nothing special happens. */
export interface Steady {
  /** Of one core, %. */
  readonly processorPercent: number;
  /** Resident memory, looked at every second: the median. */
  readonly rssMb: number;
  /** The most it was since the process started. */
  readonly peakMb: number;
  readonly samplesPerS: number;
  /** As the agent counts them itself. */
  readonly overruns: number;
  readonly failures: number;
}

/** Watches from one line of statistics to the line after about `forMs`. */
export async function watchSteady(edge: Process, forMs: number): Promise<Steady> {
  const from = await nextStats(edge);
  const startedMs = performance.now();
  const startedS = processorS(edge.pid);
  const rss: number[] = [];
  while (performance.now() - startedMs < forMs - (statsEveryS * 1000) / 2) {
    await sleep(1000);
    rss.push(residentMb(edge.pid).rss);
  }
  const to = await nextStats(edge);
  const seconds = (performance.now() - startedMs) / 1000;
  const stats = statsOf(edge).slice(from, to);
  const sum = (of: (each: EdgeStats) => number): number => stats.reduce((total, each) => total + of(each), 0);
  return {
    processorPercent: ((processorS(edge.pid) - startedS) / seconds) * 100,
    rssMb: median(rss),
    peakMb: residentMb(edge.pid).peak,
    samplesPerS: sum(({ samplesPerS }) => samplesPerS) / stats.length,
    overruns: sum(({ overruns }) => overruns),
    failures: sum(({ failures }) => failures),
  };
}

export interface SteadyTargets {
  readonly processorPercent: number;
  readonly mb: number;
}

/** The rows that every load has. */
export function steadyFigures(what: string, all: readonly Steady[], targets: SteadyTargets): readonly Figure[] {
  const atMost = (value: number): Target => ({ kind: 'atMost', value });
  return [
    {
      what: `${what}: share of one core`,
      unit: '%',
      values: all.map(({ processorPercent }) => processorPercent),
      target: atMost(targets.processorPercent),
    },
    { what: `${what}: RSS`, unit: 'MB', values: all.map(({ rssMb }) => rssMb), target: atMost(targets.mb) },
    { what: `${what}: highest RSS since the start`, unit: 'MB', values: all.map(({ peakMb }) => peakMb), target: atMost(targets.mb) },
    { what: `${what}: delivered`, unit: 'samples/s', values: all.map(({ samplesPerS }) => samplesPerS) },
  ];
}
