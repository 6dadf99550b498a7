import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createNodeEnv } from '@nhip/core/process/node-env';
import { duckdbConfig } from '@nhip/stores/duckdb/config';
import { expect, it } from 'vitest';
import { createFurtherStore } from './history.ts';

it('opens a further DuckDB store by the settings of the server', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nhip-further-'));
  const config = duckdbConfig.parse({ type: 'duckdb', file: join(folder, 'further.duckdb'), memoryLimitMb: 128 });
  const store = createFurtherStore({ ...config, name: 'copy' }, createNodeEnv(folder));
  expect(await store.open()).toBeUndefined();
  await store.close();
  rmSync(folder, { recursive: true });
});
