import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { hasPostgres, type Postgres, startPostgres } from '../../../test/harness/postgres.ts';
import { openPostgres } from '../database/postgres.ts';
import type { Database } from '../database.ts';
import { openTestDatabase, type TestDatabase } from './test-database.ts';

/** Runs the same tests on an embedded database and, where it is installed, on a PostgreSQL server; each begins empty. */
export function describeEachDatabase(tests: (database: () => Database) => void): void {
  describe('embedded', () => {
    let opened: TestDatabase;
    beforeAll(async () => {
      opened = await openTestDatabase();
    }, 120_000);
    afterAll(() => opened?.remove());
    tests(() => opened.database);
  });

  describe.skipIf(!hasPostgres)('PostgreSQL server (apt-get install postgresql)', () => {
    let folder: string;
    let server: Postgres;
    let database: Database;
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'nhip-postgres-'));
      // The user postgres must reach its folder inside.
      chmodSync(folder, 0o755);
      server = await startPostgres(folder);
      database = openPostgres({ url: server.url, maxConnections: 5 });
    }, 120_000);
    afterAll(async () => {
      await database?.close();
      await server?.stop();
      rmSync(folder, { recursive: true, force: true });
    });
    tests(() => database);
  });
}
