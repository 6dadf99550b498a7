import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SampleBatch, SeriesTable, valueKind } from '@nhip/core/telemetry/sample-batch';
import { generateHistory } from '@nhip/simulators/history';
import { hoaLac } from '@nhip/simulators/plants/hoa-lac';
import { createPlant } from '@nhip/simulators/plants/plant';
import { createDuckdbStore } from '@nhip/stores/duckdb/duckdb-store';
import { startInfluxd } from '../harness/influxd.ts';
import { until } from '../harness/until.ts';
import { startVictoriaMetrics } from '../harness/victoria-metrics.ts';
import type { Bench, Figure } from './figures.ts';

const day = 86_400_000;
const t0 = Date.UTC(2026, 9, 1);
const batchSamples = 100_000;
const bodyLines = 20_000;

interface Target<Result extends Taken = Taken> {
  write(batch: SampleBatch): Promise<void>;
  /** Lets it compact and stops it; resolves with the samples that it was given and the bytes that it takes on the disk. */
  finish(): Promise<Result>;
}

interface Taken {
  readonly samples: number;
  /** Of all files. */
  readonly bytes: number;
}

const kinds = ['samples', 'minutes', 'hours'] as const;

/** The files of closed days. */
interface OwnTaken extends Taken {
  readonly bytesOf: Readonly<Record<(typeof kinds)[number], number>>;
}

function bytesBelow(folder: string, ending = ''): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}

async function ours(folder: string, endMs: number): Promise<Target<OwnTaken>> {
  const file = join(folder, 'history.duckdb');
  const store = createDuckdbStore({ type: 'duckdb', file, memoryLimitMb: 512, threads: 2 });
  await store.open();
  const state = Uint8Array.of(1);
  let nextIndex = 0;
  return {
    async write(batch) {
      const write = { batch, losses: [], checkpoint: { nextIndex: ++nextIndex, decoder: state, repeats: state } };
      await store.write({ ...write, keepRefused: () => Promise.reject(new Error('a sample was refused')) });
    },
    async finish() {
      await store.upkeep.run(endMs + 3_600_000);
      const { coldSamples } = store.upkeep.status();
      await store.close();
      const cold = join(folder, 'history.cold');
      const [samples, minutes, hours] = [
        bytesBelow(join(cold, 'samples')),
        bytesBelow(join(cold, 'minutes')),
        bytesBelow(join(cold, 'hours')),
      ];
      return { samples: coldSamples, bytes: bytesBelow(cold), bytesOf: { samples, minutes, hours } };
    },
  };
}

const escapeTag = (text: string): string => text.replaceAll(/([,= ])/g, '\\$1');
const escapeText = (text: string): string => text.replaceAll(/(["\\])/g, '\\$1');

/** The samples in line protocol by the schema of stores/influxdb; what the other product has no value for is left out. */
function lines(batch: SampleBatch, numbersOnly: boolean): readonly string[] {
  const found: string[] = [];
  for (let i = 0; i < batch.length; i++) {
    const value = batch.value(i);
    const kind = batch.kind[i];
    if (value === null || (numbersOnly && kind !== valueKind.number && kind !== valueKind.boolean)) continue;
    const { machine, metric } = batch.series.at(batch.seriesId[i] ?? 0);
    const asNumber = numbersOnly ? Number(value) : value;
    const field =
      typeof asNumber === 'number'
        ? `value=${asNumber}`
        : typeof asNumber === 'boolean'
          ? `bool=${asNumber}`
          : `text="${escapeText(String(asNumber))}"`;
    found.push(`samples,machine=${escapeTag(machine)},metric=${escapeTag(metric)} ${field} ${batch.timeMs[i]}`);
  }
  return found;
}

function poster(url: string, numbersOnly: boolean): { write(batch: SampleBatch): Promise<void>; sent(): number } {
  let sent = 0;
  return {
    async write(batch) {
      const all = lines(batch, numbersOnly);
      for (let from = 0; from < all.length; from += bodyLines) {
        const answer = await fetch(url, { method: 'POST', body: all.slice(from, from + bodyLines).join('\n') });
        if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
      }
      sent += all.length;
    },
    sent: () => sent,
  };
}

async function influx(folder: string): Promise<Target> {
  const server = await startInfluxd(folder, undefined, {
    data: 'cache-snapshot-write-cold-duration = "1s"\ncompact-full-write-cold-duration = "2s"',
  });
  await fetch(`${server.url}/query`, { method: 'POST', body: new URLSearchParams({ q: 'CREATE DATABASE bench' }) });
  const { write, sent } = poster(`${server.url}/write?db=bench&precision=ms`, false);
  const data = join(folder, 'data', 'bench');
  return {
    write,
    async finish() {
      await settled(data, () => bytesBelow(join(folder, 'wal')) < 1000);
      await server.stop();
      return { samples: sent(), bytes: bytesBelow(data, '.tsm') };
    },
  };
}

async function victoria(folder: string): Promise<Target> {
  const server = await startVictoriaMetrics(folder);
  const { write, sent } = poster(`${server.url}/write?precision=ms`, true);
  const data = join(folder, 'data');
  return {
    write,
    async finish() {
      await fetch(`${server.url}/internal/force_flush`);
      await fetch(`${server.url}/internal/force_merge`);
      await settled(data, () => true);
      await server.stop();
      return { samples: sent(), bytes: bytesBelow(data) };
    },
  };
}

/** Waits until the size has not changed for ten looks, half a second apart at least. */
async function settled(folder: string, isReady: () => boolean): Promise<void> {
  let last = -1;
  let same = 0;
  let lookedMs = 0;
  await until(
    `${folder} is compacted`,
    () => {
      if (performance.now() - lookedMs < 500) return false;
      lookedMs = performance.now();
      const now = bytesBelow(folder);
      same = now === last && isReady() ? same + 1 : 0;
      last = now;
      return same >= 10;
    },
    180_000,
  );
}

async function measure(days: number) {
  const folder = mkdtempSync(join(tmpdir(), 'nhip-bytes-'));
  try {
    for (const name of ['ours', 'influx', 'victoria']) mkdirSync(join(folder, name));
    const endMs = t0 + days * day;
    const [own, influxd, vm] = [
      await ours(join(folder, 'ours'), endMs),
      await influx(join(folder, 'influx')),
      await victoria(join(folder, 'victoria')),
    ];
    const targets = [own, influxd, vm];
    const table = new SeriesTable();
    const batch = new SampleBatch(table, batchSamples);
    let n = 0;
    const flush = async (): Promise<void> => {
      for (const target of targets) await target.write(batch);
      batch.clear();
    };
    await generateHistory(
      createPlant(hoaLac, 1),
      t0,
      endMs,
      // The first values lie one step before the first day.
      (machine, metric, timeMs, value) =>
        batch.push(table.id(machine, metric), Math.min(timeMs, endMs - 1), n++ % 1_000_000, value, 192, false),
      async () => {
        if (batch.length >= batchSamples) await flush();
      },
    );
    await flush();
    const [ownTaken, influxTaken, vmTaken] = await Promise.all([own.finish(), influxd.finish(), vm.finish()]);
    return { own: ownTaken, influxd: influxTaken, vm: vmTaken, written: n };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export const bytesPerSample: Bench = {
  name: 'bytes-per-sample',
  summary: 'What closed days take on the disk, beside InfluxDB and VictoriaMetrics with the same samples of the simulated plant',
  async run({ runs, isShort }) {
    const days = isShort ? 1 : 7;
    const all: Awaited<ReturnType<typeof measure>>[] = [];
    for (let run = 0; run < runs; run++) all.push(await measure(days));
    const row = (what: string, of: (each: (typeof all)[number]) => number, atMost?: number): Figure => ({
      what,
      unit: 'B/sample',
      values: all.map(of),
      ...(atMost === undefined ? {} : { target: { kind: 'atMost', value: atMost } }),
    });
    const [first] = all;
    return {
      figures: [
        row('ours: all Parquet files, roll-ups included', ({ own }) => own.bytes / own.samples, 2.5),
        ...kinds.map((kind) => row(`ours: ${kind} of that`, ({ own }) => own.bytesOf[kind] / own.samples)),
        row('InfluxDB 1.6.7, compacted (TSM)', ({ influxd }) => influxd.bytes / influxd.samples),
        row('VictoriaMetrics 1.79.5, merged; numbers only', ({ vm }) => vm.bytes / vm.samples),
      ],
      notes: [
        `${days} days of the plant of Hòa Lạc as its edge agents report it: ${first?.written.toLocaleString('en-GB') ?? ''} samples of ${hoaLac.group}, states and texts included; process values once a minute at most.`,
        `InfluxDB was given ${first?.influxd.samples.toLocaleString('en-GB') ?? ''} points (it has no "no value"), VictoriaMetrics ${first?.vm.samples.toLocaleString('en-GB') ?? ''} (no text); both with ms time stamps, without the sample numbers and qualities that ours keeps. Their indexes and write-ahead logs are left out where they lie apart.`,
      ],
    };
  },
};
