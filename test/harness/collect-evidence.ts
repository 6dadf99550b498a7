import type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api';
import type { DeadLetterRow, LossRow, StoredValue } from '../checker/evidence.ts';
import { readDuckdbFile, storedSamples } from './duckdb-file.ts';
import { influxQuery } from './influxd.ts';
import { runNhip } from './nhip.ts';
import type { DataFolder } from './plant.ts';

/** Without what edges say of themselves (device `_node`): no source has a journal of it to hold against. */
export interface Kept {
  readonly stored: readonly StoredValue[];
  readonly losses: readonly LossRow[];
}

/** What the DuckDB file and the files of closed days beside it hold of group `g`. The server must not be running. */
export function keptInDuckdb(file: string): Promise<Kept> {
  return readDuckdbFile(file, async (connection) => {
    const samples = await rows(
      connection,
      `SELECT machine, metric, v, epoch_ms(t)::DOUBLE, q, n FROM ${await storedSamples(connection, file)}
       WHERE machine LIKE 'g/%' AND NOT ends_with(machine, '/_node')`,
    );
    const hasLosses = (await rows(connection, "SELECT 1 FROM information_schema.tables WHERE table_name = 'losses'")).length > 0;
    const losses = hasLosses
      ? await rows(
          connection,
          `SELECT edge, machine, metric, reason, samples, stream, seq_from, seq_to, epoch_ms(t_from)::DOUBLE, epoch_ms(t_to)::DOUBLE
           FROM losses WHERE (edge LIKE 'g/%' OR edge = '') AND NOT ends_with(machine, '/_node')`,
        )
      : [];
    return {
      stored: samples.map(([machine, metric, value, t, q, n]) => ({
        series: `${String(machine)} ${String(metric)}`,
        value: Number(value),
        timestampMs: Number(t),
        quality: Number(q),
        tick: n === null ? undefined : Number(n),
      })),
      losses: losses.map(([edge, machine, metric, reason, count, stream, seqFrom, seqTo, fromMs, toMs]) => ({
        edge: String(edge),
        machine: String(machine),
        metric: String(metric),
        reason: String(reason),
        samples: Number(count),
        stream: String(stream),
        seqFrom: Number(seqFrom),
        seqTo: Number(seqTo),
        fromMs: Number(fromMs),
        toMs: Number(toMs),
      })),
    };
  });
}

async function rows(connection: DuckDBConnection, sql: string): Promise<readonly (readonly DuckDBValue[])[]> {
  return (await connection.runAndReadAll(sql)).getRows();
}

/** What the InfluxDB server holds of group `g`, asked by HTTP. */
export async function keptInInfluxdb(url: string, database: string): Promise<Kept> {
  const samples = await influxQuery(
    url,
    database,
    'SELECT machine, metric, v FROM samples WHERE machine =~ /^g\\// AND machine !~ /\\/_node$/',
  );
  const losses = await influxQuery(
    url,
    database,
    'SELECT edge, machine, reason, metric, stream, samples, seqFrom, seqTo, fromMs, toMs FROM kept.losses WHERE edge =~ /^(g\\/|$)/ AND machine !~ /\\/_node$/',
  );
  return {
    stored: samples
      .filter(({ v }) => typeof v === 'number')
      .map(({ time, machine, metric, v }) => ({
        series: `${String(machine)} ${String(metric)}`,
        value: Number(v),
        timestampMs: Number(time),
        quality: 192,
      })),
    losses: losses.map((row) => ({
      edge: String(row.edge),
      machine: String(row.machine ?? ''),
      metric: String(row.metric ?? ''),
      reason: String(row.reason),
      samples: Number(row.samples),
      stream: String(row.stream ?? ''),
      seqFrom: Number(row.seqFrom),
      seqTo: Number(row.seqTo),
      fromMs: Number(row.fromMs),
      toMs: Number(row.toMs),
    })),
  };
}

/** Dead letters of group `g` as the operator's command lists them. */
export async function keptAsDeadLetters(data: DataFolder): Promise<readonly DeadLetterRow[]> {
  const { code, stdout, stderr } = await runNhip(['dlq', 'list', '--data', data.path, '--limit', '100000', '--json']);
  if (code !== 0) throw new Error(`nhip dlq list ended with ${code}: ${stderr}`);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as ListedLetter)
    .filter(({ edge }) => edge.startsWith('g/'))
    .map(({ reason, samples, sourceLog, sourceIndex, part = 0 }) => ({ reason, samples, source: `${sourceLog} ${sourceIndex} ${part}` }));
}

interface ListedLetter {
  readonly reason: string;
  readonly samples: number;
  readonly sourceLog: string;
  readonly sourceIndex: number;
  /** Several letters of one record with the same reason. */
  readonly part?: number;
  readonly edge: string;
}
