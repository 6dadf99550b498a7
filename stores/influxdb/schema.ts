import { PermanentError, RetryableError } from '@nhip/core/process/errors';
import { makeBuckets } from './buckets.ts';
import { demandSync } from './durability.ts';
import type { InfluxServer } from './influx-server.ts';
import { keptPolicy } from './influx-server.ts';
import { integerField } from './line-protocol.ts';
import { sampleFields, samplesMeasurement } from './sample-lines.ts';
import type { WholeSegments } from './whole-segments.ts';

const schemaVersion = 1;
/**
 * From 1917 to 2191: everything that is kept for ever lies in one shard, so that InfluxDB writes one body as a whole, and losses can never
 * be there without the checkpoint beside them.
 */
const keptShardDays = 100_000;
const keptShard = `${keptShardDays}d`;

export interface SchemaOptions {
  readonly url: string;
  readonly database: string;
  readonly retentionDays: number | undefined;
  /** What 2.x needs beside. */
  readonly organisation: string | undefined;
  readonly token: string | undefined;
  readonly ca: string | undefined;
  readonly requestTimeoutMs: number;
}

/**
 * Makes database and retention policy where they are missing, and checks that this program understands what is there. Throws
 * PermanentError with what to do when it does not.
 */
export async function prepareSchema(server: InfluxServer, options: SchemaOptions, segments: Pick<WholeSegments, 'begin'>): Promise<void> {
  const { major, text } = await server.version();
  if (major > 2) {
    throw new PermanentError(
      'store.unsupported',
      `InfluxDB at ${options.url} is ${text}: from 3 on there are no retention policies, in which this store keeps what must never end. ` +
        'Write to it with type: influxdb3 under furtherStores, or use 1.x or 2.x',
    );
  }
  await segments.begin();
  if (major === 1) await makeDatabase(server, options);
  else await demandBuckets(server, options);
  await demandSync(server, major, options.url);
  await checkFields(server);
  if ((await readSchemaVersion(server, options)) === schemaVersion) return;
  const answer = await server.write('kept', `meta schema=${integerField(schemaVersion)} 0\n`);
  if (answer.kind !== 'stored')
    throw new RetryableError('store.busy', `InfluxDB at ${options.url} took no point: ${JSON.stringify(answer)}`);
  // Some servers that speak line protocol keep no such points, or answer before they are there: none that could hold a checkpoint.
  if ((await readSchemaVersion(server, options)) !== schemaVersion) {
    throw new PermanentError(
      'store.notInfluxdb',
      `What was written to ${options.url} cannot be read back: this store needs InfluxDB 1.x or 2.x`,
    );
  }
}

/** For readers: changes nothing. Throws RetryableError `store.notThere` when ingest has not made the database yet. */
export async function checkSchema(server: InfluxServer, options: SchemaOptions): Promise<void> {
  await server.version();
  const databases = await names(server, 'SHOW DATABASES');
  const isMade = databases.includes(options.database) && (await readSchemaVersion(server, options)) === schemaVersion;
  if (isMade) return;
  throw new RetryableError('store.notThere', `InfluxDB at ${options.url} has no history in ${options.database} yet: start ingest`);
}

async function names(server: InfluxServer, statement: string): Promise<readonly string[]> {
  const [series = []] = await server.query([statement], { isAdministration: true, isSmall: true });
  return (series[0]?.values ?? []).map(([name]) => String(name));
}

async function makeDatabase(server: InfluxServer, { database, retentionDays }: SchemaOptions): Promise<void> {
  const administration = { isAdministration: true };
  if (!(await names(server, 'SHOW DATABASES')).includes(database)) {
    const duration = retentionDays === undefined ? '' : ` WITH DURATION ${retentionDays}d`;
    await server.query([`CREATE DATABASE "${database}"${duration}`], administration);
  }
  if ((await names(server, `SHOW RETENTION POLICIES ON "${database}"`)).includes(keptPolicy)) return;
  await server.query(
    [`CREATE RETENTION POLICY ${keptPolicy} ON "${database}" DURATION INF REPLICATION 1 SHARD DURATION ${keptShard}`],
    administration,
  );
}

/** A token for writing only is enough when the buckets are there. */
async function demandBuckets(server: InfluxServer, options: SchemaOptions): Promise<void> {
  const { url, database, retentionDays, requestTimeoutMs: timeoutMs } = options;
  // Writing needs it too, also to buckets that are there.
  if (options.organisation === undefined)
    throw new PermanentError('store.noOrganisation', `InfluxDB 2.x at ${url} asks for an organisation: set store.organisation`);
  if (await hasBuckets(server, database)) return;
  let denied: unknown;
  try {
    await makeBuckets({ ...options, timeoutMs }, { database, retentionDays, keptShardDays });
    if (await hasBuckets(server, database)) return;
  } catch (error) {
    if (!(error instanceof PermanentError) || error.code !== 'store.denied') throw error;
    denied = error;
  }
  const retention = retentionDays === undefined ? '0' : `${retentionDays}d`;
  throw new PermanentError(
    'store.noBuckets',
    `InfluxDB at ${url} has not both buckets that the store needs. Make them: ` +
      `influx bucket create --name ${database} --retention ${retention} && ` +
      `influx bucket create --name ${database}/${keptPolicy} --retention 0 --shard-group-duration ${keptShard}`,
    denied,
  );
}

async function hasBuckets(server: InfluxServer, database: string): Promise<boolean> {
  if (!(await names(server, 'SHOW DATABASES')).includes(database)) return false;
  const policies = await names(server, `SHOW RETENTION POLICIES ON "${database}"`);
  return policies.includes(keptPolicy) && policies.length > 1;
}

async function readSchemaVersion(server: InfluxServer, { url, database }: SchemaOptions): Promise<number | undefined> {
  const [series = []] = await server.query([`SELECT schema FROM ${keptPolicy}.meta`], { isSmall: true });
  const version = series[0]?.values[0]?.[1];
  if (version === undefined || version === null || Number(version) <= schemaVersion)
    return version === undefined ? undefined : Number(version);
  throw new PermanentError(
    'store.newerSchema',
    `${database} in InfluxDB at ${url} has schema version ${version}, this program knows ${schemaVersion}: start the version that wrote it`,
  );
}

/** A field of another type would make the server refuse every sample. */
async function checkFields(server: InfluxServer): Promise<void> {
  const [series = []] = await server.query([`SHOW FIELD KEYS FROM ${samplesMeasurement}`], { isSmall: true });
  const types: Readonly<Record<string, string>> = sampleFields;
  for (const [field, type] of series[0]?.values ?? []) {
    const wanted = types[String(field)];
    if (wanted === undefined || wanted === type) continue;
    throw new PermanentError(
      'store.foreignFields',
      `The measurement ${samplesMeasurement} holds a field ${field} of type ${type}, not ${wanted}, which another program wrote: give the store a database of its own`,
    );
  }
}
