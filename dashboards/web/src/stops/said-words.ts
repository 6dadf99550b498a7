import type { Correction } from '@nhip/core/kpi/corrections';
import { locale } from '../i18n/locale.svelte.ts';
import { ts } from './stops-locale.svelte.ts';

/** What an entry says, in words. `reasonText` names a code. */
export function saidWords(entry: Correction, reasonText: (code: string) => string): string {
  const time = (ms: number): string => locale.format.timeSeconds(ms);
  const reasonOf = (code: string | null): string => (code === null ? ts('stop.noReason') : reasonText(code));
  switch (entry.kind) {
    case 'reclassify':
      return entry.reason === null ? ts('said.cleared') : ts('said.reclassify', { reason: reasonText(entry.reason) });
    case 'split':
      return ts('said.split', { time: time(entry.splitMs) });
    case 'merge':
      return ts('said.merge', { from: time(entry.fromMs), to: time(entry.toMs), reason: reasonOf(entry.reason) });
    case 'withdraw':
      return ts('said.withdraw');
  }
}
