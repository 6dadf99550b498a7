import { createHash } from 'node:crypto';
import { FatalError } from '@nhip/core/process/errors';
import type { Database } from '../database.ts';
import { sql as firstFloor } from './0001-first-floor.ts';
import { sql as machineStatus } from './0002-machine-status.ts';
import { sql as agreements } from './0003-agreements.ts';
import { sql as clientCertificates } from './0004-client-certificates.ts';

/** One step, applied once. Its text never changes after a release: the next change is the next step. */
export interface Migration {
  readonly number: number;
  readonly name: string;
  readonly sql: string;
}

export const migrations: readonly Migration[] = [
  { number: 1, name: 'first-floor', sql: firstFloor },
  { number: 2, name: 'machine-status', sql: machineStatus },
  { number: 3, name: 'agreements', sql: agreements },
  { number: 4, name: 'client-certificates', sql: clientCertificates },
];

/** Key of the advisory lock: `nhip` in ASCII. */
const lockKey = 0x6e686970;

/**
 * Brings the database to the newest step, all missing steps in one transaction, one process at a time. Resolves with how many were
 * applied. Throws FatalError when an applied step has another text than ours, or when the database is newer than this program.
 */
export async function migrate(database: Database, steps: readonly Migration[] = migrations): Promise<number> {
  return database.transaction(async (queries) => {
    await queries.query('SELECT pg_advisory_xact_lock($1)', [lockKey]);
    await queries.query(
      `CREATE TABLE IF NOT EXISTS migration (
         number int PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`,
    );
    const applied = await queries.query<{ number: number; checksum: string }>('SELECT number, checksum FROM migration ORDER BY number');
    for (const { number, checksum } of applied) {
      const step = steps.find((each) => each.number === number);
      if (step === undefined) {
        throw new FatalError('sector.newerDatabase', `The database has migration ${number}, this program does not: start the newer one`);
      }
      if (checksumOf(step) !== checksum) {
        throw new FatalError('sector.migrationChanged', `Migration ${number} (${step.name}) is not the one that was applied`);
      }
    }
    const missing = steps.filter(({ number }) => !applied.some((each) => each.number === number));
    for (const step of missing) {
      await queries.script(step.sql);
      await queries.query('INSERT INTO migration (number, name, checksum) VALUES ($1, $2, $3)', [step.number, step.name, checksumOf(step)]);
    }
    return missing.length;
  });
}

function checksumOf({ sql }: Migration): string {
  return createHash('sha256').update(sql).digest('hex');
}
