import { readFileSync } from 'node:fs';

/**
 * The normative statements of Sparkplug 3.0.0 by their ids (Eclipse Foundation, EPL-2.0), each with a paraphrase of our own. One line:
 * id, tab, paraphrase.
 */
const lines = readFileSync(new URL('spec-ids.tsv', import.meta.url), 'utf8')
  .trim()
  .split('\n');
const requirements = new Map(lines.map((line): [string, string] => [line.split('\t')[0] ?? '', line.split('\t')[1] ?? '']));

export const specIds: readonly string[] = [...requirements.keys()];

/** Throws for an id that the specification does not have. */
export function requirement(id: string): string {
  const found = requirements.get(id);
  if (found === undefined) throw new Error(`the specification has no ${id}`);
  return found;
}
