import { type Language, translate } from './translate.ts';

/** Used until the plant's own time zone is known. */
export const defaultTimeZone = 'Asia/Ho_Chi_Minh';

export interface Format {
  /** Whole number with separators: 1.234 in Vietnamese. */
  int(value: number): string;
  /** At most three decimals, fewer for large values. */
  decimal(value: number): string;
  /** Share 0 to 1 of a whole as percent: "0,1 %". What is neither nothing nor all is never rounded to it. */
  share(share: number): string;
  /** Size in units of 1000 bytes: "1,2 GB". */
  bytes(bytes: number): string;
  /** kW: one decimal below 100, none above. */
  power(kw: number): string;
  /** 10:42 in the plant's time zone. */
  time(ms: number): string;
  /** 10:42:05 */
  timeSeconds(ms: number): string;
  /** 21/11/2026, 10:42:05 */
  dateTime(ms: number): string;
  /** `dateTime`, or only the time when `ms` lies on the plant's day of `nowMs`. */
  moment(ms: number, nowMs: number): string;
  /** Ticking length: 06:18, 1:12:44, "2 ngày 3 giờ". */
  clock(lengthMs: number): string;
  /** Rounded length: "45 s", "6 ph", "3 giờ 5 ph". */
  length(lengthMs: number): string;
}

const localeOf: Readonly<Record<Language, string>> = { vi: 'vi-VN', en: 'en-GB' };
const secondMs = 1000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const smallestShare = 0.0001;
const byteUnits = ['B', 'kB', 'MB', 'GB', 'TB'];

/** Formats of a language in a time zone (IANA name; an unknown one falls back to the default). */
export function createFormat(language: Language, timeZone: string): Format {
  const locale = localeOf[language];
  const zone = isTimeZone(timeZone) ? timeZone : defaultTimeZone;
  const number = (maximumFractionDigits: number) => new Intl.NumberFormat(locale, { maximumFractionDigits });
  const [whole, one, two, three] = [number(0), number(1), number(2), number(3)];
  const clockParts = { hour: '2-digit', minute: '2-digit', hour12: false, hourCycle: 'h23', timeZone: zone } as const;
  const dateParts = { day: '2-digit', month: '2-digit', year: 'numeric', timeZone: zone } as const;
  const time = new Intl.DateTimeFormat(locale, clockParts);
  const timeSeconds = new Intl.DateTimeFormat(locale, { ...clockParts, second: '2-digit' });
  const date = new Intl.DateTimeFormat(locale, dateParts);
  const unit = {
    second: translate(language, 'unit.second'),
    minute: translate(language, 'unit.minute'),
    hour: translate(language, 'unit.hour'),
    day: translate(language, 'unit.day'),
  };
  const dateTime = (ms: number): string => `${date.format(ms)} ${timeSeconds.format(ms)}`;
  const days = (ms: number): string => joined(Math.floor(ms / dayMs), unit.day, Math.floor((ms % dayMs) / hourMs), unit.hour);

  return {
    int: (value) => whole.format(value),
    decimal(value) {
      const size = Math.abs(value);
      if (size >= 1000) return whole.format(value);
      if (size >= 100) return one.format(value);
      return size >= 1 ? two.format(value) : three.format(value);
    },
    share(share) {
      if (share > 0 && share < smallestShare) return `< ${two.format(smallestShare * 100)} %`;
      if (share < 1 && share > 1 - smallestShare) return `> ${two.format((1 - smallestShare) * 100)} %`;
      // Towards the nearer end a digit more, so that 99.97 % is not 100 %.
      return `${(share > 0.99 && share < 1) || share < 0.001 ? two.format(share * 100) : one.format(share * 100)} %`;
    },
    bytes(bytes) {
      const step = Math.min(byteUnits.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
      const size = bytes / 1000 ** step;
      return `${(size < 10 && step > 0 ? one : whole).format(size)} ${byteUnits[step]}`;
    },
    power: (kw) => (Math.abs(kw) >= 100 ? whole : one).format(kw),
    time: (ms) => time.format(ms),
    timeSeconds: (ms) => timeSeconds.format(ms),
    dateTime,
    moment: (ms, nowMs) => (date.format(ms) === date.format(nowMs) ? timeSeconds.format(ms) : dateTime(ms)),
    clock(lengthMs) {
      const ms = Math.max(0, lengthMs);
      if (ms >= dayMs) return days(ms);
      const seconds = Math.floor(ms / secondMs);
      const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
      return h > 0 ? `${h}:${pad(m)}:${pad(s)}` : `${pad(m)}:${pad(s)}`;
    },
    length(lengthMs) {
      const ms = Math.max(0, lengthMs);
      if (ms < minuteMs) return `${Math.floor(ms / secondMs)} ${unit.second}`;
      if (ms < hourMs) return `${Math.floor(ms / minuteMs)} ${unit.minute}`;
      if (ms < dayMs) return joined(Math.floor(ms / hourMs), unit.hour, Math.floor((ms % hourMs) / minuteMs), unit.minute);
      return days(ms);
    },
  };
}

function joined(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** Text for searching without accents: "Máy Đập" and "may dap" become the same. Đ has no decomposition in Unicode. */
export function searchable(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase().replaceAll('đ', 'd');
}
