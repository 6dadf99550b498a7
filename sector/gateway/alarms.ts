import type { Log } from '@nhip/core/process/log';
import type { SharingAlarm } from '@nhip/core/wire/sharing';
import type { Text } from '../contract/finding.ts';
import type { AlarmCode } from './desk.ts';

/** What somebody must look at. A state that goes on is logged once. */
export interface Alarms {
  raise(code: AlarmCode, text: Text, recipient?: string): void;
  clear(code: AlarmCode, recipient?: string): void;
  list(): readonly SharingAlarm[];
}

export function createAlarms(log: Log, now: () => number): Alarms {
  const alarms = new Map<string, SharingAlarm>();
  const keyOf = (code: AlarmCode, recipient?: string): string => `${code} ${recipient ?? ''}`;
  return {
    raise(code, text, recipient) {
      const found = alarms.get(keyOf(code, recipient));
      const since = found?.since ?? new Date(now()).toISOString();
      alarms.set(keyOf(code, recipient), { code, since, text, ...(recipient === undefined ? {} : { recipient }) });
      if (found === undefined) log.warn({ alarm: code, recipient, problem: text.en }, 'Sharing needs attention');
    },
    clear(code, recipient) {
      if (alarms.delete(keyOf(code, recipient))) log.info({ alarm: code, recipient }, 'An alarm of sharing is over');
    },
    list: () => [...alarms.values()],
  };
}
