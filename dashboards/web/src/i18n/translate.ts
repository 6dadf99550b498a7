import { en } from './en.ts';
import { vi } from './vi.ts';

export const languages = ['vi', 'en'] as const;
export type Language = (typeof languages)[number];

/** Names of the parameters in a message: `{n}` and `{n|one|many}` both name `n`. */
type ParameterNames<Text extends string> = Text extends `${string}{${infer Inner}}${infer Rest}`
  ? (Inner extends `${infer Name}|${string}` ? Name : Inner) | ParameterNames<Rest>
  : never;
/** What a message needs beside its key. */
export type MessageArguments<Text extends string> = [ParameterNames<Text>] extends [never]
  ? []
  : [Readonly<Record<ParameterNames<Text>, string | number>>];

export type Translate<Messages extends Readonly<Record<string, string>>> = <K extends keyof Messages & string>(
  language: Language,
  key: K,
  ...args: MessageArguments<Messages[K]>
) => string;

const parameter = /\{(\w+)(?:\|([^|}]*)\|([^}]*))?\}/g;

/** Translation by a pair of dictionaries. A missing parameter stays visible as `{name}`. */
export function createTranslate<Messages extends Readonly<Record<string, string>>>(
  vietnamese: Messages,
  english: Readonly<Record<keyof Messages, string>>,
): Translate<Messages> {
  const dictionaries: Readonly<Record<Language, Readonly<Record<keyof Messages, string>>>> = { vi: vietnamese, en: english };
  return (language, key, ...args) => {
    const text = dictionaries[language][key];
    const values = args[0] as Readonly<Record<string, string | number>> | undefined;
    if (values === undefined) return text;
    return text.replace(parameter, (whole, name: string, one?: string, many?: string) => {
      const value = values[name];
      if (value === undefined) return whole;
      if (one !== undefined && many !== undefined) return String(value) === '1' ? one : many;
      return String(value);
    });
  };
}

/** The message in that language with its parameters filled in. */
export const translate = createTranslate(vi, en);

export function isLanguage(text: unknown): text is Language {
  return text === 'vi' || text === 'en';
}
