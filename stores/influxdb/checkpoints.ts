import { PermanentError } from '@nhip/core/process/errors';
import type { Checkpoint } from '../history-store.ts';
import type { InfluxServer } from './influx-server.ts';
import { keptPolicy } from './influx-server.ts';
import { type BlobKind, ringSlots, slotStride } from './kept-points.ts';

export interface FoundCheckpoint {
  readonly checkpoint: Checkpoint;
  readonly version: number;
  readonly decoderVersion: number;
}

/**
 * The newest checkpoint that is whole; undefined in a database without any. Throws PermanentError `store.damaged` when there are
 * checkpoints and none is whole.
 */
export async function readCheckpoint(server: InfluxServer): Promise<FoundCheckpoint | undefined> {
  const [series = []] = await server.query([`SELECT version, nextIndex, decoder FROM ${keptPolicy}.checkpoint`], { isSmall: true });
  const found = (series[0]?.values ?? [])
    .map(([, version, nextIndex, decoder]) => ({ version: Number(version), nextIndex: Number(nextIndex), decoderVersion: Number(decoder) }))
    .sort((a, b) => b.version - a.version);
  for (const { version, nextIndex, decoderVersion } of found) {
    const repeats = await readBlob(server, 'repeats', version);
    const decoder = await readBlob(server, 'decoder', decoderVersion);
    if (repeats === undefined || decoder === undefined) continue;
    return { checkpoint: { nextIndex, repeats, decoder }, version, decoderVersion };
  }
  if (found.length === 0) return undefined;
  throw new PermanentError(
    'store.damaged',
    `None of the ${found.length} checkpoints in InfluxDB is whole: restore a backup, or drop the measurement ${keptPolicy}.checkpoint to read what is left of the log again`,
  );
}

async function readBlob(server: InfluxServer, kind: BlobKind, version: number): Promise<Uint8Array | undefined> {
  const from = (version % ringSlots) * slotStride;
  const [series = []] = await server.query(
    [
      `SELECT version, part, parts, data FROM ${keptPolicy}.blob WHERE kind = '${kind}' AND time >= ${from} AND time < ${from + slotStride}`,
    ],
    { isSmall: true },
  );
  // What an older, longer blob left in the slot has another version.
  const parts = (series[0]?.values ?? []).filter(([, of]) => of === version);
  if (parts.length === 0 || parts.length !== parts[0]?.[3]) return undefined;
  return new Uint8Array(Buffer.concat(parts.map(([, , , , data]) => Buffer.from(String(data), 'base64'))));
}
