import { describe, expect, it } from 'vitest';
import { prepareSchema, type SchemaOptions } from './schema.ts';
import { type Told, toldServers } from './testing/told-server.ts';

const startTold = toldServers();
const segments = { begin: async () => undefined };

const optionsFor = (url: string, change: Partial<SchemaOptions> = {}): SchemaOptions => ({
  ...{ url, database: 'nhip', retentionDays: undefined, organisation: 'works', token: 'secret', ca: undefined, requestTimeoutMs: 2000 },
  ...change,
});

const series = (columns: readonly string[], ...values: readonly (readonly unknown[])[]): string =>
  JSON.stringify({ results: [{ statement_id: 0, series: [{ columns, values }] }] });

/** As 2.7.12 answers an operator, with both buckets there and a store in them. */
const of2 =
  (fsyncDelay: string) =>
  (path: string, body: string): Told => {
    if (path === '/api/v2/config') return [200, `{\n\t"config": {\n\t\t"storage-wal-fsync-delay": "${fsyncDelay}"\n\t}\n}`];
    if (path !== '/query') return [204, ''];
    const q = new URLSearchParams(body).get('q') ?? '';
    if (q === 'SHOW DATABASES') return [200, series(['name'], ['_monitoring'], ['nhip'])];
    if (q.startsWith('SHOW RETENTION')) return [200, series(['name', 'duration'], ['autogen', '0s'], ['kept', '0s'])];
    if (q.startsWith('SHOW FIELD')) return [200, '{"results":[{"statement_id":0}]}'];
    return [200, series(['time', 'schema'], [0, 1])];
  };

describe('the schema in a 2.x', () => {
  it('is there', async () => {
    const { url, server } = await startTold(of2('0s'));
    await expect(prepareSchema(server, optionsFor(url), segments)).resolves.toBeUndefined();
  });

  it('is no good where writes are confirmed before they are on disk', async () => {
    const { url, server } = await startTold(of2('100ms'));
    await expect(prepareSchema(server, optionsFor(url), segments)).rejects.toMatchObject({
      code: 'store.notDurable',
      message: expect.stringContaining('set storage-wal-fsync-delay=0s (it is "100ms")'),
    });
  });

  it('needs an organisation, also when the buckets are there', async () => {
    const { url, server } = await startTold(of2('0s'));
    await expect(prepareSchema(server, optionsFor(url, { organisation: undefined }), segments)).rejects.toMatchObject({
      code: 'store.noOrganisation',
    });
  });
});
