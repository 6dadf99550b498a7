import { HttpError, InfluxDB } from '@influxdata/influxdb-client';
import { type Bucket, BucketsAPI, DbrpsAPI, OrgsAPI } from '@influxdata/influxdb-client-apis';
import { PermanentError, RetryableError } from '@nhip/core/process/errors';
import { keptPolicy } from './influx-server.ts';

/** What 2.x is asked for by the official client: it knows the administration, and a few calls need no retry buffer. */
export interface BucketAdministration {
  readonly url: string;
  readonly organisation: string | undefined;
  readonly token: string | undefined;
  readonly ca: string | undefined;
  readonly timeoutMs: number;
}

interface Wanted {
  readonly name: string;
  readonly policy: string;
  readonly everySeconds: number;
  readonly shardGroupDurationSeconds?: number;
  readonly isDefault: boolean;
}

const dayS = 86_400;

/**
 * Makes the two buckets of the store where they are missing, `<database>` with the retention and `<database>/kept` without an end, and
 * the mappings by which InfluxQL finds them (2.x). Rejects with PermanentError when the token may not, or there is no such organisation;
 * with RetryableError when the server does not answer well.
 */
export async function makeBuckets(
  { url, organisation, token, ca, timeoutMs }: BucketAdministration,
  {
    database,
    retentionDays,
    keptShardDays,
  }: { readonly database: string; readonly retentionDays: number | undefined; readonly keptShardDays: number },
): Promise<void> {
  if (organisation === undefined)
    throw new PermanentError('store.noOrganisation', `InfluxDB 2.x at ${url} asks for an organisation: set store.organisation`);
  const influx = new InfluxDB({
    url,
    timeout: timeoutMs,
    ...(token === undefined ? {} : { token }),
    ...(ca === undefined ? {} : { transportOptions: { ca } }),
  });
  const bucketsApi = new BucketsAPI(influx);
  const mappings = new DbrpsAPI(influx);
  const wanted: readonly Wanted[] = [
    { name: database, policy: 'autogen', everySeconds: (retentionDays ?? 0) * dayS, isDefault: true },
    {
      name: `${database}/${keptPolicy}`,
      policy: keptPolicy,
      everySeconds: 0,
      shardGroupDurationSeconds: keptShardDays * dayS,
      isDefault: false,
    },
  ];
  try {
    const orgID = await organisationIdOf(influx, organisation, url);
    for (const each of wanted) {
      const bucketID = await bucketIdOf(bucketsApi, orgID, each);
      const known = await mappings.getDBRPs({ orgID, db: database, rp: each.policy });
      if ((known.content ?? []).length > 0) continue;
      const mapping = { orgID, bucketID, database, retention_policy: each.policy, default: each.isDefault };
      await mappings.postDBRP({ body: mapping });
    }
  } catch (error) {
    throw explain(error, url);
  }
}

async function organisationIdOf(influx: InfluxDB, organisation: string, url: string): Promise<string> {
  const answer = await unlessNotThere(new OrgsAPI(influx).getOrgs({ org: organisation }));
  if (answer === undefined)
    throw new PermanentError('store.noOrganisation', `InfluxDB at ${url} has no organisation ${organisation}: correct store.organisation`);
  const id = answer.orgs?.find(({ name }) => name === organisation)?.id;
  // What a token gets that may read and write buckets, and no more.
  if (id === undefined)
    throw new PermanentError('store.denied', `InfluxDB at ${url} does not show this token the organisation ${organisation}`);
  return id;
}

/** Asked for a name that is not there, 2.x answers 404 and not an empty list. */
async function unlessNotThere<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof HttpError && error.statusCode === 404) return undefined;
    throw error;
  }
}

async function bucketIdOf(api: BucketsAPI, orgID: string, wanted: Wanted): Promise<string> {
  const { name, everySeconds, shardGroupDurationSeconds } = wanted;
  const answer = await unlessNotThere(api.getBuckets({ orgID, name }));
  const found = answer?.buckets?.find((bucket: Bucket) => bucket.name === name);
  if (found?.id !== undefined) return found.id;
  const rule = { type: 'expire' as const, everySeconds, ...(shardGroupDurationSeconds === undefined ? {} : { shardGroupDurationSeconds }) };
  const made = await api.postBuckets({ body: { orgID, name, retentionRules: [rule] } });
  if (made.id === undefined) throw new RetryableError('store.busy', `InfluxDB made the bucket ${name} and gave it no id`);
  return made.id;
}

function explain(error: unknown, url: string): Error {
  if (error instanceof PermanentError || error instanceof RetryableError) return error;
  if (!(error instanceof HttpError)) {
    const reason = error instanceof Error ? error.message : String(error);
    return new RetryableError('store.unreachable', `InfluxDB at ${url} cannot be reached (${reason})`, { cause: error });
  }
  const said = error.message.slice(0, 300);
  if (error.statusCode === 401 || error.statusCode === 403)
    return new PermanentError(
      'store.denied',
      `InfluxDB at ${url} does not let this token see or make buckets (${error.statusCode} ${said})`,
    );
  return new RetryableError('store.busy', `InfluxDB at ${url} answered ${error.statusCode} ${said} about its buckets`);
}
