import { locale } from '../i18n/locale.svelte.ts';
import type { MessageArguments } from '../i18n/translate.ts';
import type { SharingKey, sharingVi } from './sharing-vi.ts';
import { translateSharing } from './sharing-words.ts';

/** The message about what leaves the factory in the chosen language; reactive in templates. */
export function tx<K extends SharingKey>(key: K, ...args: MessageArguments<(typeof sharingVi)[K]>): string {
  return translateSharing(locale.language, key, ...args);
}
