import { canonicalJson } from '../../contract/canonical.ts';
import { localDate } from '../../contract/period.ts';
import type { Database, Queries, Row } from '../database.ts';
import type { MachineEvent } from './machine-event.ts';

/** How many events of a plant arrived on a day. */
export interface ArrivedStates {
  /** Calendar day in Việt Nam. */
  readonly day: string;
  readonly establishmentId: string;
  readonly events: number;
  readonly lastAt: Date;
}

/** A kept event. */
export interface KeptState {
  readonly entryId: number;
  readonly establishmentId: string;
  readonly eventId: string;
  readonly receivedAt: Date;
  /** Canonical JSON of the machine status. */
  readonly data: string;
}

/** What became of a batch: all of it, or nothing because the day is full. */
export type KeepOutcome =
  | { readonly kind: 'kept'; readonly outcomes: readonly ('accepted' | 'repeated' | 'conflict')[] }
  | { readonly kind: 'full' };

/**
 * States of single machines. An event is there once, however often it is sent; one that is older than `keepMs` is in no answer any more,
 * and deleted by the next `prune`.
 */
export interface MachineStates {
  /** Of each event what became of it; on disk when it resolves. */
  keep(enterpriseId: string, events: readonly MachineEvent[]): Promise<KeepOutcome>;
  /** Newest arrival first, from behind `beforeId` on. */
  list(enterpriseId: string, page: { readonly beforeId?: number | undefined; readonly limit: number }): Promise<readonly KeptState[]>;
  /** The newest 100 days and plants. */
  arrived(enterpriseId: string): Promise<readonly ArrivedStates[]>;
  /** Deletes what is over, and what was sent under an agreement that is revoked. Resolves with how many events went. */
  prune(): Promise<number>;
  readonly keepMs: number;
}

export interface MachineStatesOptions {
  readonly keepMs: number;
  /** Of one enterprise; more are not taken that day. */
  readonly maxPerDay: number;
  now(): number;
}

const dayMs = 86_400_000;
const keepCountsMs = 400 * dayMs;
const maxArrivedRows = 100;

export function createMachineStates(database: Database, { keepMs, maxPerDay, now }: MachineStatesOptions): MachineStates {
  return {
    keepMs,
    keep: (enterpriseId, events) =>
      database.transaction(async (queries) => {
        // Batches of one enterprise go one after the other: what is held below cannot change before the commit.
        await queries.query('SELECT 1 FROM enterprise WHERE enterprise_id = $1 FOR NO KEY UPDATE', [enterpriseId]);
        const held = await readHeld(queries, enterpriseId, events);
        const fresh: MachineEvent[] = [];
        const outcomes = events.map((event) => {
          const data = canonicalJson(event.data);
          const before = held.get(keyOf(event));
          if (before !== undefined) return before === data ? ('repeated' as const) : ('conflict' as const);
          held.set(keyOf(event), data);
          fresh.push(event);
          return 'accepted' as const;
        });
        if (fresh.length === 0) return { kind: 'kept', outcomes };
        const at = new Date(now());
        const day = localDate(at.getTime());
        const [sum] = await queries.query<{ events: number }>(
          'SELECT coalesce(sum(events), 0)::int AS events FROM machine_status_day WHERE enterprise_id = $1 AND day = $2',
          [enterpriseId, day],
        );
        if ((sum?.events ?? 0) + fresh.length > maxPerDay) return { kind: 'full' };
        await insert(queries, enterpriseId, fresh, at);
        await count(queries, enterpriseId, day, fresh, at);
        return { kind: 'kept', outcomes };
      }),
    list: (enterpriseId, { beforeId, limit }) =>
      database.query<Row & KeptState>(
        `SELECT entry_id AS "entryId", establishment_id AS "establishmentId", event_id AS "eventId", received_at AS "receivedAt", data
           FROM machine_status WHERE enterprise_id = $1 AND since > $2 AND ($3::bigint IS NULL OR entry_id < $3)
          ORDER BY entry_id DESC LIMIT $4`,
        [enterpriseId, new Date(now() - keepMs), beforeId ?? null, limit],
      ),
    arrived: (enterpriseId) =>
      database.query<Row & ArrivedStates>(
        `SELECT day, establishment_id AS "establishmentId", events, last_at AS "lastAt" FROM machine_status_day
          WHERE enterprise_id = $1 ORDER BY day DESC, establishment_id LIMIT $2`,
        [enterpriseId, maxArrivedRows],
      ),
    async prune() {
      const [gone] = await database.query<{ events: number }>(
        'WITH gone AS (DELETE FROM machine_status WHERE since <= $1 RETURNING 1) SELECT count(*)::int AS events FROM gone',
        [new Date(now() - keepMs)],
      );
      const [withdrawn] = await database.query<{ events: number }>(
        `WITH gone AS (DELETE FROM machine_status s USING agreement a
                        WHERE a.agreement_id = s.consent_id AND a.enterprise_id = s.enterprise_id AND a.revoked_at IS NOT NULL RETURNING 1)
         SELECT count(*)::int AS events FROM gone`,
      );
      await database.query('DELETE FROM machine_status_day WHERE day < $1', [localDate(now() - keepCountsMs)]);
      return (gone?.events ?? 0) + (withdrawn?.events ?? 0);
    },
  };
}

/** The data of events that are there, by their key. */
async function readHeld(queries: Queries, enterpriseId: string, events: readonly MachineEvent[]): Promise<Map<string, string>> {
  const rows = await queries.query<{ establishment_id: string; event_id: string; data: string }>(
    `SELECT establishment_id, event_id, data FROM machine_status
       JOIN unnest($2::text[], $3::text[]) AS wanted (establishment_id, event_id) USING (establishment_id, event_id)
      WHERE enterprise_id = $1`,
    [enterpriseId, events.map(({ establishmentId }) => establishmentId), events.map(({ eventId }) => eventId)],
  );
  return new Map(rows.map(({ establishment_id, event_id, data }) => [`${establishment_id} ${event_id}`, data]));
}

async function insert(queries: Queries, enterpriseId: string, events: readonly MachineEvent[], at: Date): Promise<void> {
  await queries.query(
    `INSERT INTO machine_status
       (enterprise_id, establishment_id, event_id, machine_ref, machine_class, state, since, consent_id, data, received_at)
     SELECT $1, t.*, $10 FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::text[], $9::text[]) AS t`,
    [
      enterpriseId,
      events.map(({ establishmentId }) => establishmentId),
      events.map(({ eventId }) => eventId),
      events.map(({ data }) => data.machineRef),
      events.map(({ data }) => data.machineClass),
      events.map(({ data }) => data.state),
      events.map(({ data }) => new Date(data.since)),
      events.map(({ data }) => data.consentId),
      events.map(({ data }) => canonicalJson(data)),
      at,
    ],
  );
}

async function count(queries: Queries, enterpriseId: string, day: string, events: readonly MachineEvent[], at: Date): Promise<void> {
  await queries.query(
    `INSERT INTO machine_status_day (enterprise_id, establishment_id, day, events, last_at)
     SELECT $1, establishment_id, $2, count(*), $4 FROM unnest($3::text[]) AS t (establishment_id) GROUP BY establishment_id
         ON CONFLICT (enterprise_id, day, establishment_id)
         DO UPDATE SET events = machine_status_day.events + excluded.events, last_at = excluded.last_at`,
    [enterpriseId, day, events.map(({ establishmentId }) => establishmentId), at],
  );
}

function keyOf({ establishmentId, eventId }: MachineEvent): string {
  return `${establishmentId} ${eventId}`;
}
