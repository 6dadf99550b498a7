/**
 * Writes `catalogue.gen.ts` from the profile files, and the tables of docs/device-profiles.md. `--check` writes nothing and exits with 1
 * when one of them is not current.
 *
 *     npx tsx edge-agent/profiles/generate.ts
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compileProfile } from './format.ts';
import { catalogueText, profileFolder, readProfileFiles } from './profile-files.ts';
import { withTables } from './profile-table.ts';
import { sunspecProfiles } from './sunspec/sunspec-profiles.ts';

const guideFile = join(profileFolder, '../../docs/device-profiles.md');
const catalogueFile = join(profileFolder, 'catalogue.gen.ts');

const files = readProfileFiles();
const profiles = [...[...files.values()].map(compileProfile), ...sunspecProfiles()];
const wanted: readonly (readonly [string, string])[] = [
  [catalogueFile, catalogueText(files.values())],
  [guideFile, withTables(readFileSync(guideFile, 'utf8'), files, profiles)],
];
for (const [file, text] of wanted) {
  if (process.argv.includes('--check')) {
    if (readFileSync(file, 'utf8') === text) continue;
    process.stderr.write(`${file} is not current: run npx tsx edge-agent/profiles/generate.ts\n`);
    process.exitCode = 1;
  } else writeFileSync(file, text);
}
