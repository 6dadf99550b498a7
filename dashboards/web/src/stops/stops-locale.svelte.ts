import { locale } from '../i18n/locale.svelte.ts';
import type { MessageArguments } from '../i18n/translate.ts';
import type { StopsKey, stopsVi } from './stops-vi.ts';
import { translateStops } from './stops-words.ts';

/** The message about stops in the chosen language; reactive in templates. */
export function ts<K extends StopsKey>(key: K, ...args: MessageArguments<(typeof stopsVi)[K]>): string {
  return translateStops(locale.language, key, ...args);
}
