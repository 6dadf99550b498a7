import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Log } from '@nhip/core/process/log';
import type { Value } from '@nhip/core/wire/sample';
import type { WriteAttempt } from './driver.ts';

/** Who asked: the host application over MQTT, or a person at the command line of the gateway. */
export type Author = 'command' | 'console';

/** Two files of this size are kept; a line has about 200 bytes. */
const maxBytes = 1_048_576;

/**
 * The audit trail of everything that was written, or should have been, to a machine: one line of JSON per attempt, appended to
 * `<data folder>/audit.ndjson` (0600) with O_APPEND, so that the agent and the command line may both write. Throws when the line cannot
 * be kept.
 */
export function appendAudit(file: string, author: Author, attempt: WriteAttempt): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > maxBytes) renameSync(file, `${file}.1`);
  const { deviceId, write, timestampMs, outcome, readBack, reason } = attempt;
  const line = {
    time: new Date(timestampMs).toISOString(),
    author,
    device: deviceId,
    metric: write.metric,
    value: plain(write.value),
    outcome,
    ...(readBack === undefined ? {} : { readBack: plain(readBack.value), quality: readBack.quality }),
    ...(reason === undefined ? {} : { reason }),
  };
  appendFileSync(file, `${JSON.stringify(line)}\n`, { mode: 0o600 });
}

/** Throws when no line could be kept: to be called before anything is sent. */
export function assertAuditable(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  appendFileSync(file, '', { mode: 0o600 });
}

export const auditFile = (dataDir: string): string => `${dataDir}/audit.ndjson`;

/** The trail of a running agent. Once a line could not be kept it is not sound any more, until one can: what cannot be audited must not be written. */
export function createAuditTrail(dataDir: string, log: Log): { keep(attempt: WriteAttempt): void; isSound(): boolean } {
  const file = auditFile(dataDir);
  let isSound = true;
  return {
    keep(attempt) {
      try {
        appendAudit(file, 'command', attempt);
        isSound = true;
      } catch (error) {
        if (isSound) log.error({ err: error, file }, 'The audit trail cannot be written; commands are refused until it can');
        isSound = false;
      }
    },
    isSound: () => {
      if (isSound) return true;
      try {
        assertAuditable(file);
        isSound = true;
      } catch {
        // Said before.
      }
      return isSound;
    },
  };
}

/** JSON knows no 64-bit integers. */
function plain(value: Value): number | string | boolean | null {
  return typeof value === 'bigint' ? value.toString() : value;
}
