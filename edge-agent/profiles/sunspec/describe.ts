import { loadProfiles } from '../catalogue.ts';
import type { SunspecDevice } from './discover.ts';
import { sunspecProfileId } from './sunspec-profiles.ts';

/**
 * What was found as the `devices:` of a connection, to be pasted into the configuration. The addresses are fixed there: an agent whose
 * metrics depended on what a device answers at the moment could not say what it will report before it is connected.
 */
export function sunspecYaml(found: SunspecDevice, unit: number): string {
  const { manufacturer, model, version, serial } = found;
  const lines = [
    `# ${oneLine([manufacturer, model, version && `version ${version}`, serial && `serial ${serial}`].filter(Boolean).join(', '))}`,
  ];
  for (const problem of found.problems) lines.push(`# ${problem}`);
  for (const each of found.models) {
    if (!each.hasProfile) {
      lines.push(`# model ${each.id} at ${each.base}: no profile`);
      continue;
    }
    const id = sunspecProfileId(each.id);
    lines.push(
      `- id: ${id}-unit${unit}-${each.base}`,
      `  displayName: ${JSON.stringify(oneLine(`${manufacturer} ${model}`.trim()) || id)}`,
      `  profile: ${id}@${loadProfiles().get(id)?.version ?? 1}`,
      `  base: ${each.base}`,
      `  unit: ${unit}`,
    );
    if (each.notMeasured.length > 0) {
      lines.push('  # The device had no value for these when it was asked:', `  without: [${each.notMeasured.join(', ')}]`);
    }
  }
  return `${lines.join('\n')}\n`;
}

/** What a device says about itself stays within its line. */
function oneLine(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?');
}
