import type { ProfileTag } from './format.ts';
import { nearestNames } from './nearest.ts';

interface Tags {
  readonly tags: readonly ProfileTag[];
  readonly derived: readonly ProfileTag[];
}

interface Selection {
  readonly only: unknown;
  readonly without: unknown;
}

/**
 * The tags of a profile that a device wants. What a wanted derived tag reads stays, but is not sent when it was not wanted itself.
 * `only` and `without` are lists of metrics of the profile.
 */
export function selectMetrics(all: Tags, { only, without }: Selection): Tags | { readonly problems: readonly string[] } {
  const offered = [...all.tags, ...all.derived].filter(({ publish }) => publish !== false).map(({ metric }) => metric);
  const problems = [...listProblems('only', only, offered), ...listProblems('without', without, offered)];
  if (only !== undefined && without !== undefined) problems.push('only: give only or without, not both');
  if (problems.length > 0) return { problems };

  const unwanted = new Set((without ?? []) as readonly string[]);
  const wanted = new Set((only as readonly string[] | undefined) ?? offered.filter((metric) => !unwanted.has(metric)));
  if (wanted.size === 0) return { problems: ['without: nothing would be left of the profile'] };
  const needed = new Set<string>();
  // From the last to the first: a derived tag reads those above it.
  for (const { metric, expression } of all.derived.toReversed()) {
    if (wanted.has(metric) || needed.has(metric)) for (const input of inputsOf(expression)) needed.add(input);
  }
  const keep = (tags: readonly ProfileTag[]): readonly ProfileTag[] =>
    tags.flatMap((tag) => {
      if (wanted.has(tag.metric)) return [tag];
      return needed.has(tag.metric) ? [{ ...tag, publish: false }] : [];
    });
  return { tags: keep(all.tags), derived: keep(all.derived) };
}

/** What an expression of a profile reads: there every input is written tag("…"). */
export function inputsOf(expression: unknown): readonly string[] {
  return [...String(expression).matchAll(/\btag\("([^"]+)"\)/g)].map(([, metric = '']) => metric);
}

function listProblems(field: string, list: unknown, offered: readonly string[]): string[] {
  if (list === undefined) return [];
  if (!Array.isArray(list) || list.length === 0) return [`${field}: must be a list of metrics, e.g. [${offered[0]}]`];
  return list.flatMap((metric: unknown, i) => {
    if (offered.some((each) => each === metric)) return [];
    const nearest = nearestNames(String(metric), offered);
    const hint = nearest.length === 0 ? '' : `; do you mean ${nearest.join(' or ')}?`;
    return [`${field}[${i}]: the profile has no metric ${JSON.stringify(metric)}${hint}; it has ${offered.join(', ')}`];
  });
}
