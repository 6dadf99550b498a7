import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Clock } from '@nhip/core/process/env';
import type { Log } from '@nhip/core/process/log';
import type { Value } from '@nhip/core/wire/sample';
import type { WriteAttempt } from './driver.ts';
import { createRefusalTally, type RefusalLine } from './refusal-tally.ts';
import type { CommandRefusal } from './session/device-command.ts';

/**
 * The audit trail of writing to machines, in the data folder: one line of JSON each, 0600, appended with O_APPEND, so that the agent and
 * the command line may both write.
 *
 * - `audit.ndjson`: every value that was written, or may have been.
 * - `audit-refused.ndjson`: what was refused before anything was sent. In a file of its own, because who may not write must not be able
 *   to push out the lines of who did.
 */

/** Who asked: the host application over MQTT, or a person at the command line of the gateway. */
export type Author = 'command' | 'console';

/** Two files of this size are kept of each kind; a line has about 200 bytes. */
const maxBytes = 1_048_576;
const longestText = 200;

/** Throws when the line cannot be kept. */
export function appendAudit(dataDir: string, author: Author, attempt: WriteAttempt): void {
  const { deviceId, write, timestampMs, outcome, readBack, reason } = attempt;
  append(outcome === 'refused' ? refusalFile(dataDir) : auditFile(dataDir), {
    time: timeText(timestampMs),
    author,
    device: deviceId,
    metric: write.metric,
    value: plain(write.value),
    outcome,
    ...(readBack === undefined ? {} : { readBack: plain(readBack.value), quality: readBack.quality }),
    ...(reason === undefined ? {} : { reason }),
  });
}

/** Throws when the line cannot be kept. */
export function appendRefusal(dataDir: string, author: Author, { deviceId, metric, value, reason, timestampMs, more }: RefusalLine): void {
  append(refusalFile(dataDir), {
    time: timeText(timestampMs),
    author,
    device: deviceId,
    metric,
    ...(value === undefined ? {} : { value: plain(value) }),
    outcome: 'refused',
    reason,
    ...(more === undefined ? {} : { count: more.count, since: timeText(more.sinceMs) }),
  });
}

/** Throws when no line could be kept: to be called before anything is sent. */
export function assertAuditable(dataDir: string): void {
  const file = auditFile(dataDir);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  appendFileSync(file, '', { mode: 0o600 });
}

const auditFile = (dataDir: string): string => `${dataDir}/audit.ndjson`;
const refusalFile = (dataDir: string): string => `${dataDir}/audit-refused.ndjson`;

export interface AuditTrail {
  keep(attempt: WriteAttempt): void;
  refused(refusal: CommandRefusal): void;
  /** Once a line could not be kept it is not sound any more, until one can: what cannot be audited must not be written. */
  isSound(): boolean;
  /** Keeps what is still counted. */
  close(): void;
}

/** The trail of a running agent; refusals that repeat become one line a minute. */
export function createAuditTrail(dataDir: string, { clock, log }: { readonly clock: Clock; readonly log: Log }): AuditTrail {
  let isSound = true;
  let areRefusalsKept = true;
  const tally = createRefusalTally(clock, (line) => {
    try {
      appendRefusal(dataDir, 'command', line);
      areRefusalsKept = true;
    } catch (error) {
      if (areRefusalsKept) log.error({ err: error, file: refusalFile(dataDir) }, 'Refused commands cannot be kept in the audit trail');
      areRefusalsKept = false;
    }
  });
  return {
    keep(attempt) {
      if (attempt.outcome === 'refused') {
        const { deviceId, write, reason = 'no reason', timestampMs } = attempt;
        tally.add({ deviceId, metric: write.metric, value: write.value, reason, timestampMs });
        return;
      }
      try {
        appendAudit(dataDir, 'command', attempt);
        isSound = true;
      } catch (error) {
        if (isSound) {
          log.error({ err: error, file: auditFile(dataDir) }, 'The audit trail cannot be written; commands are refused until it can');
        }
        isSound = false;
      }
    },
    refused: (refusal) => tally.add(refusal),
    isSound: () => {
      if (isSound) return true;
      try {
        assertAuditable(dataDir);
        isSound = true;
      } catch {
        // Said before.
      }
      return isSound;
    },
    close: () => tally.close(),
  };
}

function append(file: string, line: Readonly<Record<string, unknown>>): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > maxBytes) renameSync(file, `${file}.1`);
  appendFileSync(file, `${JSON.stringify(line)}\n`, { mode: 0o600 });
}

const timeText = (ms: number): string => new Date(ms).toISOString();

/** JSON knows no 64-bit integers. */
function plain(value: Value): number | string | boolean | null {
  return typeof value === 'bigint' ? value.toString() : typeof value === 'string' ? value.slice(0, longestText) : value;
}
