import { expect, it } from 'vitest';
import { toldServers } from './testing/told-server.ts';
import { createWholeSegments } from './whole-segments.ts';

const startTold = toldServers();
const mebibyte = 1_048_576;

it('goes on with the padding where a failure stopped it, as long as the server is the same process', async () => {
  let uptimeS = 1000;
  let paddedBytes = 0;
  let writes = 0;
  const { server } = await startTold((path, body) => {
    if (path === '/query') return [200, '{"results":[{"statement_id":0,"error":"not implemented"}]}'];
    if (path === '/metrics') return [200, `influxdb_uptime_seconds{id="1"} ${uptimeS++}\n`];
    if (!path.endsWith('/write')) return [404, ''];
    writes++;
    // A line that never lets more than nine bodies through.
    if (writes % 10 === 0) return [503, ''];
    paddedBytes += body.length;
    return [204, ''];
  });
  const segments = createWholeSegments(server, { database: 'nhip', retentionDays: undefined });
  let failures = 0;
  for (;;) {
    const isReady = await segments.readyForKept().then(
      () => true,
      () => false,
    );
    if (isReady) break;
    failures++;
    expect(failures).toBeLessThan(10);
    segments.doubt();
  }
  expect(failures).toBe(4);
  expect(paddedBytes).toBeGreaterThan(10 * mebibyte);
  expect(paddedBytes).toBeLessThan(11 * mebibyte);

  uptimeS = 0;
  [writes, paddedBytes] = [0, 0];
  segments.doubt();
  await expect(segments.readyForKept()).rejects.toThrow();
  expect(paddedBytes).toBeGreaterThan(0);
});
