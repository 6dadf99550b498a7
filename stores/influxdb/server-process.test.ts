import { describe, expect, it } from 'vitest';
import { createProcessWatch, type ProcessWatch } from './server-process.ts';
import { type Told, toldServers } from './testing/told-server.ts';

const startTold = toldServers();

async function watched(answer: (path: string) => Told): Promise<ProcessWatch> {
  const { server } = await startTold(answer);
  return createProcessWatch(server);
}

/** As 2.7.12 answers. */
const of2 =
  (uptimeS: number) =>
  (path: string): Told => {
    if (path === '/query') return [200, '{"results":[{"statement_id":0,"error":"not implemented: SHOW DIAGNOSTICS"}]}'];
    if (path !== '/metrics') return [404, '404 page not found'];
    return [200, `# TYPE influxdb_uptime_seconds gauge\ninfluxdb_uptime_seconds{id="11ad0c8a1ee90000"} ${uptimeS}\n`];
  };

/** As 1.8.10 answers a user who may read and write one database. */
const of1 =
  (started: string) =>
  (path: string): Told => {
    if (path === '/query') return [403, `{"error":"error authorizing query: nhip not authorized to execute statement 'SHOW DIAGNOSTICS'"}`];
    return [200, `{\n"system": {"currentTime":"2026-01-05T08:00:01Z","started":"${started}","uptime":1},\n"cmdline": ["influxd"]\n}\n`];
  };

describe('the process of the server', () => {
  it('is another one when it has run for less time than has passed (2.x)', async () => {
    let uptimeS = 3600.5;
    const watch = await watched((path) => of2(uptimeS)(path));
    expect([await watch.look(), await watch.look()]).toEqual(['another', 'same']);
    uptimeS = 0.001;
    expect(await watch.look()).toBe('another');
    uptimeS = 3602;
    expect(await watch.look()).toBe('same');
  });

  it('is another one when it says that it was started at another time (1.x)', async () => {
    let started = '2026-01-05T08:00:00.1Z';
    const watch = await watched((path) => of1(started)(path));
    expect([await watch.look(), await watch.look()]).toEqual(['another', 'same']);
    started = '2026-01-05T08:00:00.2Z';
    expect([await watch.look(), await watch.look()]).toEqual(['another', 'same']);
  });

  it('is not known when nobody is told, and must be asked for again when the server is busy', async () => {
    let status = 404;
    const watch = await watched((path) => (path === '/query' ? of2(1)(path) : [status, '']));
    expect([await watch.look(), await watch.look()]).toEqual(['unknown', 'unknown']);
    status = 503;
    await expect(watch.look()).rejects.toMatchObject({ code: 'store.busy' });
  });
});
