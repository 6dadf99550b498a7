import { join } from 'node:path';
import { type CorrectionLog, createCorrectionLog } from './correction-log.ts';
import { openDatabase } from './database.ts';
import { createLedger, type Ledger } from './ledger.ts';

export const plantStateFile = 'plant-state.duckdb';

/**
 * What Nhịp knows of the plant that no machine said: what people corrected, and figures as they were computed. A DuckDB file of its own
 * beside users and tokens; one process has it open. Everything is durable when a call resolves.
 */
export interface PlantState {
  readonly corrections: CorrectionLog;
  readonly ledger: Ledger;
  /** Copies everything into the new file, as of one moment. */
  copyTo(file: string): Promise<void>;
  close(): Promise<void>;
}

/** Throws PermanentError `plantState.cannotOpen` or `plantState.newer`. */
export async function openPlantState(dataDir: string): Promise<PlantState> {
  const database = await openDatabase(join(dataDir, plantStateFile));
  try {
    const { ledger, dirty } = await createLedger(database);
    const corrections = await createCorrectionLog(database, dirty);
    return { corrections, ledger, copyTo: database.copyTo, close: database.close };
  } catch (error) {
    await database.close();
    throw error;
  }
}
