import { en } from './en.ts';
import { type MessageKey, vi } from './vi.ts';

export const languages = ['vi', 'en'] as const;
export type Language = (typeof languages)[number];

/** Names of the parameters in a message: `{n}` and `{n|one|many}` both name `n`. */
type ParameterNames<Text extends string> = Text extends `${string}{${infer Inner}}${infer Rest}`
  ? (Inner extends `${infer Name}|${string}` ? Name : Inner) | ParameterNames<Rest>
  : never;
type Names<K extends MessageKey> = ParameterNames<(typeof vi)[K]>;
export type MessageArguments<K extends MessageKey> = [Names<K>] extends [never] ? [] : [Readonly<Record<Names<K>, string | number>>];

const dictionaries: Readonly<Record<Language, Readonly<Record<MessageKey, string>>>> = { vi, en };
const parameter = /\{(\w+)(?:\|([^|}]*)\|([^}]*))?\}/g;

/** The message in that language with its parameters filled in. A missing parameter stays visible as `{name}`. */
export function translate<K extends MessageKey>(language: Language, key: K, ...args: MessageArguments<K>): string {
  const text = dictionaries[language][key];
  const values = args[0] as Readonly<Record<string, string | number>> | undefined;
  if (values === undefined) return text;
  return text.replace(parameter, (whole, name: string, one?: string, many?: string) => {
    const value = values[name];
    if (value === undefined) return whole;
    if (one !== undefined && many !== undefined) return String(value) === '1' ? one : many;
    return String(value);
  });
}

export function isLanguage(text: unknown): text is Language {
  return text === 'vi' || text === 'en';
}
