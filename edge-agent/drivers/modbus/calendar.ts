import type { ValueType } from './value-types.ts';

/** Dates as devices keep them in registers, as ms since 1970 (DateTime). Devices keep local time without saying so: it is taken for UTC. */

/**
 * PowerLogic (date/time formats 1 and 3 of the driver reference of EcoStruxure Power Operation): month and day, year since 1900 and hour,
 * minute and second, a byte each; with a fourth register ms. Bits 6 and 7 of the month are status.
 */
export function calendar(words: 3 | 4): ValueType {
  return {
    dataType: 'DateTime',
    read: (b, at) => {
      const month = (b[at] ?? 0) & 0x3f;
      const ms = words === 4 ? b.readUInt16BE(at + 6) : 0;
      return timeOf([1900 + (b[at + 2] ?? 0), month, b[at + 1] ?? 0, b[at + 3] ?? 0, b[at + 4] ?? 0, b[at + 5] ?? 0, ms]);
    },
    write: (value, b) => {
      const date = dateOf(value, 1970, 2099);
      b.set([date.getUTCMonth() + 1, date.getUTCDate(), date.getUTCFullYear() - 1900]);
      b.set([date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()], 3);
      if (words === 4) b.writeUInt16BE(date.getUTCMilliseconds(), 6);
    },
  };
}

/** Schneider DATETIME (PM and EM user manuals) and TI081 (IM400 user manual): year since 2000, month and day, hour and minute, ms of the minute. */
export const datetime4: ValueType = {
  dataType: 'DateTime',
  read: (b, at) => {
    const msOfMinute = b.readUInt16BE(at + 6);
    const isInvalid = ((b[at + 5] ?? 0) & 0x80) !== 0;
    if (isInvalid) return null;
    const [year, month, day] = [2000 + ((b[at + 1] ?? 0) & 0x7f), (b[at + 2] ?? 0) & 0x0f, (b[at + 3] ?? 0) & 0x1f];
    const [hour, minute] = [(b[at + 4] ?? 0) & 0x1f, (b[at + 5] ?? 0) & 0x3f];
    return timeOf([year, month, day, hour, minute, Math.floor(msOfMinute / 1000), msOfMinute % 1000]);
  },
  write: (value, b) => {
    const date = dateOf(value, 2000, 2127);
    b.set([0, date.getUTCFullYear() - 2000, date.getUTCMonth() + 1, date.getUTCDate(), date.getUTCHours(), date.getUTCMinutes()]);
    b.writeUInt16BE(date.getUTCSeconds() * 1000 + date.getUTCMilliseconds(), 6);
  },
};

/** `null` for what no calendar has, such as month 0 of a clock that was never set, and for what is before 1970: a DateTime has no sign. */
function timeOf(parts: readonly [number, number, number, number, number, number, number]): number | null {
  const [year, month, day, hour, minute, second, ms] = parts;
  const time = Date.UTC(year, month - 1, day, hour, minute, second, ms);
  const date = new Date(time);
  const isReal = date.getUTCMonth() === month - 1 && date.getUTCDate() === day && hour < 24 && minute < 60 && second < 60 && ms < 1000;
  return isReal && time >= 0 ? time : null;
}

function dateOf(value: number | bigint, firstYear: number, lastYear: number): Date {
  const date = new Date(Number(value));
  const year = date.getUTCFullYear();
  if (!(year >= firstYear && year <= lastYear))
    throw new RangeError(`${value} is no time (ms since 1970) from ${firstYear} to ${lastYear}`);
  return date;
}
