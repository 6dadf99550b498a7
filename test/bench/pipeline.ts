import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeDataFolder } from '../harness/plant.ts';
import { type Bench, ratios } from './figures.ts';
import { fillLog, metricsPerMessage } from './pipeline-log.ts';
import type { PipelineMeasured, PipelineTask } from './pipeline-work.ts';
import { runApart } from './run-apart.ts';

export const pipeline: Bench = {
  name: 'pipeline',
  summary: 'Log → decode → DuckDB: from an empty store until every sample of the log is committed',
  async run({ runs, isShort }) {
    const data = makeDataFolder();
    try {
      const samples = await fillLog(data.path, (isShort ? 400_000 : 2_400_000) / metricsPerMessage);
      const one = async (kind: PipelineTask['kind'], batches: number): Promise<PipelineMeasured> => {
        const dir = join(data.path, 'store');
        mkdirSync(dir);
        const measured = await runApart<PipelineMeasured>('./pipeline-work.ts', {
          kind,
          logDir: data.path,
          dir,
          samples,
          batches,
        } satisfies PipelineTask);
        rmSync(dir, { recursive: true });
        if (measured.rows !== samples) throw new Error(`${measured.rows} rows in the store, not ${samples}`);
        return measured;
      };
      const ours: PipelineMeasured[] = [];
      const bare: PipelineMeasured[] = [];
      const columns: PipelineMeasured[] = [];
      for (let run = 0; run < runs; run++) {
        const measured = await one('pipeline', 0);
        ours.push(measured);
        bare.push(await one('rows', measured.batches));
        columns.push(await one('chunks', measured.batches));
      }
      const rates = (list: readonly PipelineMeasured[]): readonly number[] => list.map(({ seconds }) => samples / seconds / 1000);
      const memory = (list: readonly PipelineMeasured[]) => ({ unit: 'MB' as const, values: list.map(({ peakMb }) => peakMb) });
      return {
        figures: [
          {
            what: 'log → decode → DuckDB commit',
            unit: 'k samples/s',
            values: rates(ours),
            memory: memory(ours),
            target: { kind: 'atLeast', value: 600 },
          },
          { what: 'bare DuckDB row appender', unit: 'k samples/s', values: rates(bare), memory: memory(bare) },
          { what: 'bare DuckDB appender, by columns', unit: 'k samples/s', values: rates(columns), memory: memory(columns) },
          { what: 'pipeline ÷ row appender', unit: '×', values: ratios(rates(ours), rates(bare)), target: { kind: 'atLeast', value: 0.3 } },
          { what: 'pipeline ÷ appender by columns', unit: '×', values: ratios(rates(ours), rates(columns)) },
        ],
        notes: [
          `${samples.toLocaleString('en-GB')} samples in DDATA of ${metricsPerMessage} doubles by alias, each with time stamp, from 10 edge agents with outbox identity; the log is on disk and mostly in the page cache.`,
          'Counted from an empty store to the last durable commit of data and checkpoint in one transaction; the rows are counted afterwards.',
          'The row appender writes the same columns, one call per value, in as many transactions as ingest made; it has nothing to read or decode. By columns (as our store does it) is the real ceiling.',
          'Memory: peak resident memory of the process that measured, TypeScript loader included.',
        ],
      };
    } finally {
      data.remove();
    }
  },
};
