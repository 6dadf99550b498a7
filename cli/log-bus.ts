import type { LogBus } from '@nhip/core/log/log-bus';
import { openSegmentLog } from '@nhip/core/log/segment-log';
import type { Env } from '@nhip/core/process/env';
import type { Log } from '@nhip/core/process/log';
import { ingestReader } from '@nhip/ingest/work-writer';
import type { ServerConfig } from './server-config.ts';

/**
 * Opens the broker's log in the server's data folder, held back for ingest, with a kept tail for restored databases. When it is full it
 * refuses: edges keep on their disks what is not acknowledged, and only they can say exactly what they give up. `readers` are those of
 * this process; readers in others have cursor files of their own.
 */
export function openBrokerLog(
  env: Env,
  config: ServerConfig['log'],
  log: Log,
  onFatal: (error: Error) => void,
  readers: readonly string[] = [ingestReader],
): Promise<LogBus> {
  return openSegmentLog(env, 'log', {
    commitDelayMs: config.commitDelayMs,
    // A new segment costs three syncs: at the broker's rate they should be rare.
    segmentBytes: 67_108_864,
    maxBytes: config.maxBytes,
    keepTailBytes: Math.floor(config.maxBytes / 4),
    keepTailMs: 86_400_000,
    readers,
    whenFull: 'refuse',
    log,
    onFatal,
  });
}

/** Opens the dead letters beside it; the oldest go when they are too many. */
export function openDeadLetters(env: Env, maxBytes: number, log: Log, onFatal: (error: Error) => void): Promise<LogBus> {
  return openSegmentLog(env, 'dead-letters', { commitDelayMs: 0, maxBytes, readers: [], whenFull: 'evict', log, onFatal });
}
