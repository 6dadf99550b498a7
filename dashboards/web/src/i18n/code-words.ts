import type { LocalName } from '@nhip/core/wire/live';
import type { Language } from './translate.ts';

type Names = Readonly<Record<string, LocalName>> | undefined;

/**
 * Words for a code that a machine reports (reason, alarm): its name in the plant model; `partStuck` and `PartStuck` are the same code.
 * Without a name an identifier is taken apart ("Part stuck"), and any other text is left as the machine wrote it.
 */
export function codeWords(code: string, names: Names, language: Language): string {
  const named = names?.[code] ?? names?.[code.charAt(0).toLowerCase() + code.slice(1)];
  if (named !== undefined) return named[language] || named.vi || code;
  if (!/^[A-Za-z][a-z0-9]*([A-Z][a-z0-9]*)+$/.test(code)) return code;
  const words = code.replace(/([a-z0-9])([A-Z])/g, '$1 $2').toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
