import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { influxdbConfig } from '@nhip/stores/influxdb/config';
import { createInfluxdbStore } from '@nhip/stores/influxdb/influxdb-store';
import { influxQuery, influxWrite, startInfluxd } from '../../../test/harness/influxd.ts';
import { writePlantHistory } from './plant-history.ts';

export type Row = Readonly<Record<string, unknown>>;

/** A real influxd with the history of the plant in it, written by the product's own store. */
export interface InfluxFixture {
  ask(query: string): Promise<readonly Row[]>;
  /** The column `value`, for variables. */
  values(query: string): Promise<readonly string[]>;
  /** Line protocol, for what no simulator makes. */
  write(lines: string): Promise<void>;
  close(): Promise<void>;
}

export async function startInfluxFixture(): Promise<InfluxFixture> {
  const dir = mkdtempSync(join(tmpdir(), 'nhip-grafana-'));
  const influxd = await startInfluxd(dir);
  const ask = (query: string): Promise<readonly Row[]> => influxQuery(influxd.url, 'nhip', query);
  const close = async (): Promise<void> => {
    await influxd.stop();
    rmSync(dir, { recursive: true });
  };
  try {
    const store = createInfluxdbStore(influxdbConfig.parse({ type: 'influxdb', url: influxd.url, database: 'nhip', ...influxd.access }));
    await writePlantHistory(store);
    await store.close();
  } catch (error) {
    await close();
    throw error;
  }
  const write = (lines: string): Promise<void> => influxWrite(influxd.url, 'db=nhip', lines);
  return { ask, write, values: async (query) => (await ask(query)).map(({ value }) => String(value)), close };
}
