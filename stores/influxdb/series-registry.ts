import type { SampleBatch } from '@nhip/core/telemetry/sample-batch';
import type { SeriesInfo } from '../history-store.ts';
import type { InfluxServer } from './influx-server.ts';
import { keptPolicy } from './influx-server.ts';
import { seriesLine } from './kept-points.ts';

/** The series of a store, numbered in the order in which they were first written; the same numbers in every process. */
export interface SeriesRegistry {
  all(): readonly SeriesInfo[];
  find(machine: string, metric: string): SeriesInfo | undefined;
  /** Reads what others have added since. */
  load(server: InfluxServer): Promise<void>;
  /** Numbers the new series of a batch. */
  addFrom(batch: SampleBatch): void;
  /** Lines of the series that are not known to be stored, and how to say that they are. */
  unstored(): { readonly lines: readonly string[]; stored(): void };
}

export function createSeriesRegistry(): SeriesRegistry {
  const all: SeriesInfo[] = [];
  const byName = new Map<string, SeriesInfo>();
  let storedCount = 0;

  function add(info: SeriesInfo): void {
    all.push(info);
    byName.set(`${info.machine}\n${info.metric}`, info);
  }

  function find(machine: string, metric: string): SeriesInfo | undefined {
    return byName.get(`${machine}\n${metric}`);
  }

  return {
    all: () => all,
    find,
    async load(server) {
      const next = all.length;
      const [series = []] = await server.query(
        [`SELECT id, machine, metric FROM ${keptPolicy}."series" WHERE time >= ${next} ORDER BY time`],
        { isSmall: true },
      );
      // Two loads may overlap; what one has added the other must not add again.
      for (const [, id, machine, metric] of series[0]?.values ?? []) {
        if (Number(id) === all.length) add({ id: all.length, machine: String(machine), metric: String(metric) });
      }
      storedCount = all.length;
    },
    addFrom(batch) {
      const seen = new Uint8Array(batch.series.size);
      for (let row = 0; row < batch.length; row++) {
        const local = batch.seriesId[row] as number;
        if (seen[local] === 1) continue;
        seen[local] = 1;
        const { machine, metric } = batch.series.at(local);
        if (find(machine, metric) === undefined) add({ id: all.length, machine, metric });
      }
    },
    unstored() {
      const end = all.length;
      return {
        lines: all.slice(storedCount, end).map(seriesLine),
        stored: () => {
          storedCount = Math.max(storedCount, end);
        },
      };
    },
  };
}
