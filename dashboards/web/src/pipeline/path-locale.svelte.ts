import { locale } from '../i18n/locale.svelte.ts';
import type { MessageArguments } from '../i18n/translate.ts';
import type { PathKey, pathVi } from './path-vi.ts';
import { translatePath } from './path-words.ts';

/** The message about the data path in the chosen language; reactive in templates. */
export function tp<K extends PathKey>(key: K, ...args: MessageArguments<(typeof pathVi)[K]>): string {
  return translatePath(locale.language, key, ...args);
}
