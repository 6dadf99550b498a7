import type { Profile, ProfileFile } from './format.ts';
import { profileMetrics } from './metrics.ts';

/** The generated parts of docs/device-profiles.md stand between these lines. */
const marks = (name: string): readonly [string, string] => [`<!-- generated: ${name} -->`, `<!-- end: ${name} -->`];

/** The guide with its generated parts current. Throws when the marks of a part are missing. */
export function withTables(guide: string, files: ReadonlyMap<string, ProfileFile>, profiles: Iterable<Profile>): string {
  const parts: Readonly<Record<string, string>> = { profiles: profileTable(files, profiles), metrics: metricTable() };
  return Object.entries(parts).reduce((text, [name, table]) => {
    const [begin, end] = marks(name);
    const from = text.indexOf(begin);
    const to = text.indexOf(end);
    if (from < 0 || to < from) throw new Error(`the guide has no part "${name}"`);
    return `${text.slice(0, from + begin.length)}\n\n${table}\n\n${text.slice(to)}`;
  }, guide);
}

function profileTable(files: ReadonlyMap<string, ProfileFile>, profiles: Iterable<Profile>): string {
  const rows = [...profiles].map((profile) => {
    const { id, version, title, models, tags, derived } = profile;
    const visible = [...tags, ...derived].filter(({ publish }) => publish !== false).length;
    return `| \`${id}@${version}\` | ${title.vi} / ${title.en} | ${models.join(', ')} | ${visible} | ${checkedText(profile, files.get(id))} |`;
  });
  return ['| `profile:` | | Models | Metrics | Sources of an address |', '|---|---|---|---|---|', ...rows].join('\n');
}

function checkedText({ isTemplate }: Profile, file: ProfileFile | undefined): string {
  if (isTemplate) return 'template';
  if (file === undefined) return 'SunSpec models';
  const counted = [...file.tags, ...file.derived].filter(({ from }) => Object.keys(from).length > 0);
  const single = counted.filter(({ checked }) => checked === 1).length;
  if (single === 0) return 'two or more';
  return single === counted.length ? 'one' : `two or more; one for ${single} of ${counted.length}`;
}

function metricTable(): string {
  const rows = Object.entries(profileMetrics).map(([name, { unit, vi, en, isPerPhase }]) => {
    return `| \`${name}\`${isPerPhase === true ? ' and `/L1` `/L2` `/L3`' : ''} | ${unit ?? ''} | ${vi} / ${en} |`;
  });
  return ['| Metric | Unit | |', '|---|---|---|', ...rows].join('\n');
}
