import { readFileSync } from 'node:fs';

/** Resident memory of a process in MB as Linux counts it: now (`rss`), and the most it ever was (`peak`). */
export function residentMb(pid: number | 'self'): { readonly rss: number; readonly peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? Number.NaN) / 1024;
  return { rss: field('VmRSS'), peak: field('VmHWM') };
}
