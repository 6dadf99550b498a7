import type { Language } from '../i18n/translate.ts';

const formats = new Map<string, Intl.DateTimeFormat>();
const dayMs = 86_400_000;

/** Label of a round time on an axis of that length: seconds, minutes, or day and hour. */
export function axisTime(ms: number, lengthMs: number, language: Language, timeZone: string): string {
  const detail = lengthMs > 2 * dayMs ? 'day' : lengthMs > 10 * 60_000 ? 'minute' : 'second';
  const key = `${detail} ${language} ${timeZone}`;
  let format = formats.get(key);
  if (format === undefined) {
    const clock = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone } as const;
    const parts =
      detail === 'day'
        ? ({ day: '2-digit', month: '2-digit', timeZone } as const)
        : detail === 'second'
          ? ({ ...clock, second: '2-digit' } as const)
          : clock;
    format = new Intl.DateTimeFormat(language === 'vi' ? 'vi-VN' : 'en-GB', parts);
    formats.set(key, format);
  }
  return format.format(ms).replace('-', '/');
}
