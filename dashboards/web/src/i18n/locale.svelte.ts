import type { LocalName } from '@nhip/core/wire/live';
import { readSetting, writeSetting } from '../shell/settings.ts';
import { createFormat, defaultTimeZone } from './format.ts';
import { isLanguage, type Language, type MessageArguments, translate } from './translate.ts';
import type { MessageKey, vi } from './vi.ts';

/** Language and formats of the page. Vietnamese unless the URL (`?lang=`) or an earlier choice says otherwise. */
class Locale {
  language: Language = $state('vi');
  timeZone = $state(defaultTimeZone);
  readonly format = $derived(createFormat(this.language, this.timeZone));

  start(fromUrl: string | null): void {
    const stored = readSetting('lang');
    if (isLanguage(fromUrl)) this.language = fromUrl;
    else if (isLanguage(stored)) this.language = stored;
  }

  choose(language: Language): void {
    this.language = language;
    writeSetting('lang', language);
  }

  name(names: LocalName): string {
    return names[this.language] || names.vi || names.en;
  }
}

export const locale = new Locale();

/** The message in the chosen language; reactive in templates. */
export function t<K extends MessageKey>(key: K, ...args: MessageArguments<(typeof vi)[K]>): string {
  return translate(locale.language, key, ...args);
}
