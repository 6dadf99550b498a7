import { PermanentError } from '@nhip/core/process/errors';
import type { InfluxServer } from './influx-server.ts';

/**
 * Class D2 rests on it: with a delay, InfluxDB says "stored" before it is on disk. Only an administrator (1.x) or operator (2.x) is told;
 * others are let pass. Throws PermanentError `store.notDurable`, RetryableError when nobody answers.
 */
export async function demandSync(server: Pick<InfluxServer, 'query' | 'page'>, major: number, url: string): Promise<void> {
  const delay = major === 1 ? await delayOf1(server) : await delayOf2(server);
  if (delay === undefined || delay === '0s') return;
  const setting = major === 1 ? 'wal-fsync-delay = "0s"' : 'storage-wal-fsync-delay=0s';
  const place = major === 1 ? ' in its [data] section' : '';
  throw new PermanentError(
    'store.notDurable',
    `InfluxDB at ${url} confirms writes before they are on disk: set ${setting} (it is "${delay}")${place}`,
  );
}

async function delayOf1(server: Pick<InfluxServer, 'query'>): Promise<string | undefined> {
  const answers = await server.query([`SHOW DIAGNOSTICS FOR 'config-data'`], { isAdministration: true }).catch((error: unknown) => {
    if (error instanceof PermanentError) return [];
    throw error;
  });
  const [{ columns = [], values = [] } = {}] = answers[0] ?? [];
  const delay = values[0]?.[columns.indexOf('wal-fsync-delay')];
  return delay === undefined ? undefined : String(delay);
}

async function delayOf2(server: Pick<InfluxServer, 'page'>): Promise<string | undefined> {
  return /"storage-wal-fsync-delay":\s*"([^"]*)"/.exec((await server.page('/api/v2/config')) ?? '')?.[1];
}
