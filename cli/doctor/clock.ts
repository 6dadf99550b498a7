import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { type Finding, note, ok, wrong } from './finding.ts';

const run = promisify(execFile);

export interface ClockFacts {
  readonly nowMs: number;
  readonly sync: 'synchronised' | 'free' | 'unknown';
  /** Clock of the server minus this one; undefined without a server. Known to a second. */
  readonly skewMs?: number | undefined;
}

/** Made in 2025: a clock before that was never set. */
const earliestMs = 1_735_689_600_000;
const latestMs = 4_102_444_800_000;
const allowedSkewMs = 5000;
const advice = 'Switch NTP on, e.g. `timedatectl set-ntp true`, and check that a time server can be reached.';

export function clockFindings({ nowMs, sync, skewMs }: ClockFacts): readonly Finding[] {
  const time = new Date(nowMs).toISOString();
  if (nowMs < earliestMs || nowMs > latestMs) {
    return [wrong('clock', `The clock says ${time}: it was never set, or its battery is empty.`, advice)];
  }
  const findings: Finding[] = [];
  if (sync === 'free') findings.push(wrong('clock', `The clock says ${time} and no time server keeps it right.`, advice));
  else if (sync === 'unknown')
    findings.push(note('clock', `The clock says ${time}; whether a time server keeps it right cannot be told here.`));
  else findings.push(ok('clock', `The clock says ${time} and is synchronised.`));
  if (skewMs !== undefined && Math.abs(skewMs) > allowedSkewMs) {
    const seconds = Math.round(Math.abs(skewMs) / 1000);
    findings.push(wrong('clock', `The server’s clock is ${seconds} s ${skewMs > 0 ? 'ahead of' : 'behind'} this one.`, advice));
  }
  return findings;
}

/** How systemd-timesyncd, chrony or ntpd see the clock; `unknown` when nobody can say. */
export async function clockSync(): Promise<ClockFacts['sync']> {
  if (existsSync('/run/systemd/timesync/synchronized')) return 'synchronised';
  try {
    const { stdout } = await run('timedatectl', ['show', '--property=NTPSynchronized', '--value'], { timeout: 3000 });
    if (stdout.trim() === 'yes') return 'synchronised';
    if (stdout.trim() === 'no') return 'free';
  } catch {
    // No systemd here, or none that answers.
  }
  return 'unknown';
}

/** The server's clock minus this one, by its Date header; undefined when it does not answer. */
export async function clockSkewMs(url: string, now: () => number): Promise<number | undefined> {
  try {
    const sentMs = now();
    const response = await fetch(`${url}/health/live`, { signal: AbortSignal.timeout(3000) });
    const middleMs = (sentMs + now()) / 2;
    const date = Date.parse(response.headers.get('date') ?? '');
    // The header leaves the fraction of the second out.
    return Number.isNaN(date) ? undefined : date + 500 - middleMs;
  } catch {
    return undefined;
  }
}
