import { readFileSync } from 'node:fs';

/** `/proc` counts processor time in ticks of this length on every Linux (USER_HZ). */
const ticksPerS = 100;

/** Seconds of processor time that a process has taken so far, in user and kernel mode. */
export function processorS(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name of the program, in parentheses, may contain blanks: fields 14 and 15 are counted from behind it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerS;
}
