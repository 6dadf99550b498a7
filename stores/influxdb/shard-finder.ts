import { PermanentError } from '@nhip/core/process/errors';
import { type InfluxServer, keptPolicy, type Place } from './influx-server.ts';

export const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** Weeks of shards begin on Mondays; 1970 began on a Thursday. */
const mondayOffsetMs = 3 * dayMs;

/** Knows the shards that were there when it was made. */
export interface ShardFinder {
  /** Name of the shard that has this time, undefined when it was not there. */
  find(place: Place, ms: number): string | undefined;
}

/** Asks the server; one that does not tell has those that its rules make. Rejects with RetryableError when nobody answers. */
export async function createShardFinder(
  server: InfluxServer,
  { database, retentionDays }: { readonly database: string; readonly retentionDays: number | undefined },
  nowMs = Date.now(),
): Promise<ShardFinder> {
  try {
    return listed(await listShards(server, database));
  } catch (error) {
    // 2.x has no such question, and 1.x answers an administrator only.
    if (error instanceof PermanentError) return assumed(retentionDays, nowMs);
    throw error;
  }
}

interface Shard {
  readonly id: string;
  readonly place: Place;
  readonly fromMs: number;
  readonly toMs: number;
}

async function listShards(server: InfluxServer, database: string): Promise<readonly Shard[]> {
  const [series = []] = await server.query(['SHOW SHARDS'], { isAdministration: true, isSmall: true });
  return series.flatMap(({ columns, values }) => {
    const at = (row: (typeof values)[number], name: string): string => String(row[columns.indexOf(name)]);
    return values
      .filter((row) => at(row, 'database') === database)
      .map((row) => ({
        id: at(row, 'id'),
        place: at(row, 'retention_policy') === keptPolicy ? 'kept' : 'samples',
        fromMs: Date.parse(at(row, 'start_time')),
        toMs: Date.parse(at(row, 'end_time')),
      }));
  });
}

function listed(shards: readonly Shard[]): ShardFinder {
  return { find: (place, ms) => shards.find((shard) => shard.place === place && shard.fromMs <= ms && ms < shard.toMs)?.id };
}

/** What InfluxDB makes of a retention when nobody says how long a shard is; those that begin later are not there yet. */
function assumed(retentionDays: number | undefined, nowMs: number): ShardFinder {
  const days = retentionDays ?? Number.POSITIVE_INFINITY;
  const lengthMs = days < 2 ? hourMs : days < 180 ? dayMs : 7 * dayMs;
  return {
    find(place, ms) {
      if (place === 'kept') return keptPolicy;
      const number = Math.floor((ms + mondayOffsetMs) / lengthMs);
      return number * lengthMs - mondayOffsetMs > nowMs ? undefined : String(number);
    },
  };
}
