import { locale } from '../i18n/locale.svelte.ts';
import type { MessageArguments } from '../i18n/translate.ts';
import type { KpiKey, kpiVi } from './kpi-vi.ts';
import { translateKpi } from './kpi-words.ts';

/** The message about shifts and figures in the chosen language; reactive in templates. */
export function tk<K extends KpiKey>(key: K, ...args: MessageArguments<(typeof kpiVi)[K]>): string {
  return translateKpi(locale.language, key, ...args);
}
