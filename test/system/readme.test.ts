import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkout } from '../harness/nhip.ts';
import { until } from '../harness/until.ts';

const run = promisify(execFile);
const minutes = 60_000;

/** Shell commands of the README's first code block, as a newcomer would copy them. */
const commands = /```sh\n([\s\S]*?)```/
  .exec(readFileSync(join(checkout, 'README.md'), 'utf8'))?.[1]
  ?.split('\n')
  .map((line) => line.replace(/#.*/, '').trim())
  .filter(Boolean);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nhip-readme-'));
});
afterAll(async () => {
  await stopRunning?.();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});
/** What a test that failed left behind. */
let stopRunning: (() => Promise<unknown>) | undefined;

/** Starts `npm start` on free ports; resolves when the board answers. */
function start(): {
  readonly ready: Promise<{ http: number; login: string | undefined; ms: number }>;
  stop(): Promise<{ code: number | null; output: string }>;
} {
  const began = performance.now();
  const env = { ...process.env, NHIP_HTTP_PORT: '0', NHIP_MQTT_PORT: '0', NHIP_ADMIN_PASSWORD: undefined, NHIP_SKIP_BUILD: undefined };
  const child = spawn('npm', ['start'], { cwd: join(folder, 'nhip'), env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise<{ code: number | null; output: string }>((resolve) => child.once('close', (code) => resolve({ code, output })));
  const ready = until(
    'npm start prints the address of the board',
    () => {
      if (child.exitCode !== null) throw new Error(output);
      const http = /http:\/\/127\.0\.0\.1:(\d+)/.exec(output)?.[1];
      // Its last line: what it prints before may come in pieces.
      return (
        http !== undefined &&
        output.includes('Ctrl-C stops') && {
          http: Number(http),
          login: /Login\s+admin \/ (\S+)/.exec(output)?.[1],
          ms: performance.now() - began,
        }
      );
    },
    2 * minutes,
  );
  const stop = () => {
    stopRunning = undefined;
    // As Ctrl-C does: the whole foreground group.
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGINT');
    return ended;
  };
  stopRunning = stop;
  return { ready, stop };
}

describe('the README', () => {
  it('names the two commands', () => {
    expect(commands).toEqual(['npm ci && npm start', 'npm ci && npm test']);
  });

  it(
    'its first command works in a fresh clone: a living factory with seven days of history, a clean stop, and a second start that goes on',
    async () => {
      await run('git', ['clone', '-q', checkout, join(folder, 'nhip')]);
      await run('npm', ['ci', '--no-audit', '--no-fund'], { cwd: join(folder, 'nhip'), maxBuffer: 1e8 });
      const first = start();
      const { http, login } = await first.ready;
      expect(login).toMatch(/\S{12,}/);
      const get = async <T>(port: number, path: string): Promise<T> =>
        (await fetch(`http://127.0.0.1:${port}${path}`)).json() as Promise<T>;
      const page = await (await fetch(`http://127.0.0.1:${http}/`)).text();
      expect(page).toContain('<title>Nhịp');
      interface Machines {
        readonly machines: readonly {
          readonly id: string;
          readonly connection: string;
          readonly lastSample: number | null;
          readonly state: string;
        }[];
      }
      const all = await until(
        'every machine is online and has a fresh value',
        async () => {
          const { machines } = await get<Machines>(http, '/api/v1/machines');
          const isFresh = machines.every(
            ({ connection, lastSample }) => connection === 'online' && lastSample !== null && Date.now() - lastSample < 120_000,
          );
          return machines.length >= 12 && isFresh && machines;
        },
        minutes,
      );
      const machine = encodeURIComponent('hoalac/edge-cnc/EP-01');
      const week = await get<{ t: number[] }>(
        http,
        `/api/v1/history?machine=${machine}&metric=Power%2FActive&from=${Date.now() - 7 * 86_400_000}&to=${Date.now()}&every=3600000`,
      );
      expect(week.t.length).toBeGreaterThan(160);
      const stopped = await first.stop();
      expect(stopped.output).toMatch(/everything acknowledged is on disk/);

      const second = start();
      const again = await second.ready;
      expect(again.login).toBeUndefined();
      const now = await until(
        'the second start is live',
        async () => {
          const { machines } = await get<Machines>(again.http, '/api/v1/machines');
          return machines.length === all.length && machines.every(({ connection }) => connection === 'online') && machines;
        },
        minutes,
      );
      expect(now.map(({ id }) => id)).toEqual(all.map(({ id }) => id));
      await second.stop();
    },
    8 * minutes,
  );
});
