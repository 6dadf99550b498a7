import { compiledProfiles } from './catalogue.gen.ts';
import type { Profile } from './format.ts';
import { sunspecProfiles } from './sunspec/sunspec-profiles.ts';

let loaded: ReadonlyMap<string, Profile> | undefined;

/** Every profile by its id, in the order of the ids. */
export function loadProfiles(): ReadonlyMap<string, Profile> {
  loaded ??= byId([...compiledProfiles.map((text) => JSON.parse(text) as Profile), ...sunspecProfiles()]);
  return loaded;
}

function byId(profiles: readonly Profile[]): ReadonlyMap<string, Profile> {
  return new Map(profiles.toSorted((a, b) => (a.id < b.id ? -1 : 1)).map((profile) => [profile.id, profile]));
}
