import { codeWords } from '../i18n/code-words.ts';
import { locale } from '../i18n/locale.svelte.ts';
import { feed } from './live-feed.svelte.ts';
import type { Machine } from './machine.svelte.ts';

/** Names in the reader's language: the plant model's where it has them, otherwise what the machine says of itself. */
export function nameOf(machine: Machine): string {
  return machine.plan === null ? machine.name : locale.name(machine.plan.name) || machine.name;
}

export function kindOf(machine: Machine): string {
  return machine.plan === null ? machine.kind : locale.name(machine.plan.kind) || machine.kind;
}

/** Reason or alarm. */
export function wordsOf(code: string): string {
  return codeWords(code, feed.plant?.reasons, locale.language);
}
