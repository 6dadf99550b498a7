import { PermanentError } from '@nhip/core/process/errors';
import type { InfluxServer } from './influx-server.ts';

/** Tells whether the process of the server is still the one of the last look. */
export interface ProcessWatch {
  /**
   * `another` also at the first look and in doubt; `unknown` when the server tells nobody or not us. Rejects with RetryableError when it
   * does not answer.
   */
  look(): Promise<'same' | 'another' | 'unknown'>;
}

/** What a process says of itself: a text that no other has, or for how long it has run. */
type Sign = { readonly mark: string } | { readonly uptimeMs: number };

/** Clocks of two machines, and an uptime in whole seconds. */
const clockTolerance = 1.01;
const roundingMs = 1000;

export function createProcessWatch(server: Pick<InfluxServer, 'query' | 'page'>): ProcessWatch {
  let last: { readonly sign: Sign; readonly askedAt: Clocks } | undefined;
  return {
    async look() {
      const askedAt = readClocks();
      const sign = await readSign(server);
      const before = last;
      last = sign === undefined ? undefined : { sign, askedAt };
      if (sign === undefined) return 'unknown';
      return before !== undefined && isSame(before.sign, sign, elapsedMs(before.askedAt)) ? 'same' : 'another';
    },
  };
}

/** A process that was started since then cannot have run for longer. */
function isSame(before: Sign, now: Sign, elapsed: number): boolean {
  if ('mark' in before) return 'mark' in now && now.mark === before.mark;
  return 'uptimeMs' in now && now.uptimeMs > elapsed * clockTolerance + roundingMs;
}

async function readSign(server: Pick<InfluxServer, 'query' | 'page'>): Promise<Sign | undefined> {
  return (await fromDiagnostics(server)) ?? (await fromVariables(server)) ?? (await fromMetrics(server));
}

/** 1.x, which tells an administrator only. */
async function fromDiagnostics(server: Pick<InfluxServer, 'query'>): Promise<Sign | undefined> {
  try {
    const [series = []] = await server.query([`SHOW DIAGNOSTICS FOR 'system'`], { isAdministration: true, isSmall: true });
    const [{ columns = [], values = [] } = {}] = series;
    const [pid, started] = ['PID', 'started'].map((name) => values[0]?.[columns.indexOf(name)]);
    return pid === undefined || started === undefined ? undefined : { mark: `${pid} ${started}` };
  } catch (error) {
    if (error instanceof PermanentError) return undefined;
    throw error;
  }
}

/** 1.x, without a login unless `pprof-auth-enabled` asks for one. */
async function fromVariables(server: Pick<InfluxServer, 'page'>): Promise<Sign | undefined> {
  const started = /"system":\s*\{[^}]*"started":\s*"([^"]+)"/.exec((await server.page('/debug/vars')) ?? '')?.[1];
  return started === undefined ? undefined : { mark: started };
}

/** 2.x, unless `metrics-disabled`. */
async function fromMetrics(server: Pick<InfluxServer, 'page'>): Promise<Sign | undefined> {
  const found = /^influxdb_uptime_seconds(?:\{[^}]*\})? (\S+)$/m.exec((await server.page('/metrics')) ?? '')?.[1];
  const uptimeMs = Number(found) * 1000;
  return Number.isFinite(uptimeMs) ? { uptimeMs } : undefined;
}

interface Clocks {
  readonly wallMs: number;
  readonly steadyMs: number;
}

/** Two clocks: one stands still while this machine sleeps, the other is set. */
function readClocks(): Clocks {
  return { wallMs: Date.now(), steadyMs: performance.now() };
}

function elapsedMs(since: Clocks): number {
  const now = readClocks();
  return Math.max(now.wallMs - since.wallMs, now.steadyMs - since.steadyMs);
}
