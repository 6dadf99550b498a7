import { HttpProblem } from '@nhip/core/process/http-problem';
import { formatTime, parseTime } from '@nhip/core/wire/time';
import { z } from 'zod';

/** Query fields of a time range, as they arrive. */
export const rangeFields = {
  from: z.string().max(40).optional().describe('Start: ms since 1970 UTC, or ISO 8601 with a zone. Default: 8 hours before `to`'),
  to: z.string().max(40).optional().describe('End, not included. Default: now'),
};

const defaultRangeMs = 8 * 3_600_000;
const dayMs = 86_400_000;

/** Reads a range; without `from` it is `defaultMs` long. Throws a 400 that says what to do when it is no time, empty, or longer than `maxMs`. */
export function readRange(
  { from, to }: { readonly from?: string | undefined; readonly to?: string | undefined },
  nowMs: number,
  maxMs: number,
  defaultMs = defaultRangeMs,
): { readonly fromMs: number; readonly toMs: number } {
  const toMs = to === undefined ? nowMs : readTime('to', to);
  const fromMs = from === undefined ? toMs - defaultMs : readTime('from', from);
  if (fromMs >= toMs) throw new HttpProblem(400, `from (${formatTime(fromMs)}) is not before to (${formatTime(toMs)}).`);
  if (toMs - fromMs > maxMs) {
    throw new HttpProblem(
      400,
      `The range is ${Math.ceil((toMs - fromMs) / dayMs)} days long: ask for at most ${Math.floor(maxMs / dayMs)} days at once.`,
    );
  }
  return { fromMs, toMs };
}

function readTime(name: string, text: string): number {
  const timeMs = /^-?\d{1,15}$/.test(text) ? Number(text) : parseTime(text);
  if (timeMs === undefined) {
    throw new HttpProblem(
      400,
      `${name} "${text}" is not a time: write ms since 1970 or ISO 8601 with a zone, e.g. 2026-11-20T06:00:00Z (+ as %2B).`,
    );
  }
  return timeMs;
}

const unitMs: Readonly<Record<string, number>> = { '': 1, ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: dayMs };

/** Reads a length of time: ms, or a number with s, m, h, d. Throws a 400. */
export function readDuration(name: string, text: string): number {
  const [, digits = '', unit = ''] = /^(\d{1,12})(ms|s|m|h|d)?$/.exec(text) ?? [];
  const durationMs = Number(digits) * (unitMs[unit] ?? 0);
  if (!(durationMs > 0)) throw new HttpProblem(400, `${name} "${text}" is not a length of time: write ms or e.g. 10s, 1m, 1h, 1d.`);
  return durationMs;
}
