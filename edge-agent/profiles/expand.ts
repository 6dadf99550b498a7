import { loadProfiles } from './catalogue.ts';
import type { Profile, ProfileTag } from './format.ts';
import { nearestNames } from './nearest.ts';
import { placeTag } from './relative-address.ts';
import { selectMetrics } from './select-metrics.ts';

/**
 * Fills profiles in, before the configuration is checked:
 *
 *     - id: METER-1
 *       profile: eastron-sdm630@1     # name, and the version that must be there
 *       base: 40069                   # only for profiles with relative addresses
 *       only: [Power/Active]          # or `without`
 *       tags:                         # more tags; one with a metric of the profile changes that one
 *         - { metric: Power/Active, deadband: 0.05 }
 *
 * becomes a device with all its tags, as if a person had written it. `profile` stays, with the version, for the birth.
 *
 * What is no device with a profile comes out as it went in: its mistakes are for the schema to tell. A device whose profile cannot be
 * filled in does too, with its problems: what the schema then says about it (its tags are missing) is not worth telling.
 */
export function fillProfiles(raw: unknown): Filled {
  const problems: FilledProblem[] = [];
  if (!isObject(raw) || !Array.isArray(raw.connections)) return { raw, problems };
  const connections = raw.connections.map((connection: unknown, c) => {
    if (!isObject(connection) || !Array.isArray(connection.devices)) return connection;
    const limits: Record<string, number> = {};
    const devices = connection.devices.map((device: unknown, d) => {
      if (!isObject(device) || typeof device.profile !== 'string') return device;
      const result = expandDevice(device, device.profile, connection.driver);
      if ('problems' in result) {
        problems.push(...result.problems.map((problem) => ({ device: `connections[${c}].devices[${d}].`, problem })));
        return device;
      }
      for (const [name, most = Number.POSITIVE_INFINITY] of Object.entries(result.limits))
        limits[name] = Math.min(most, limits[name] ?? most);
      return result.device;
    });
    return { ...limits, ...connection, devices };
  });
  return { raw: { ...raw, connections }, problems };
}

interface Filled {
  readonly raw: unknown;
  readonly problems: readonly FilledProblem[];
}

interface FilledProblem {
  /** Where the device is, e.g. `connections[0].devices[3].`. */
  readonly device: string;
  readonly problem: string;
}

type Fields = Readonly<Record<string, unknown>>;
type Expanded = { readonly device: Fields; readonly limits: Profile['connection'] } | { readonly problems: readonly string[] };

function expandDevice(given: Fields, name: string, driver: unknown): Expanded {
  const { base: givenBase, only, without, tags, derived, ...fields } = given;
  const profile = findProfile(name);
  if ('problem' in profile) return { problems: [`profile: ${profile.problem}`] };
  if (profile.driver !== driver) {
    return { problems: [`profile: ${profile.id} is for the driver ${profile.driver}, the connection has ${JSON.stringify(driver)}`] };
  }
  const base = baseOf(profile, givenBase);
  if (typeof base === 'object') return { problems: [`base: ${base.problem}`] };

  const placed = base === undefined ? profile.tags : profile.tags.map((tag) => placeTag(tag, base));
  const beyond = placed.flatMap((tag) => ('problem' in tag && typeof tag.problem === 'string' ? [`base: ${tag.problem}`] : []));
  if (beyond.length > 0) return { problems: beyond };

  const selected = selectMetrics({ tags: placed as readonly ProfileTag[], derived: profile.derived }, { only, without });
  if ('problems' in selected) return selected;
  // A tag of the device's own may take the place of what the profile derives, and the other way round.
  const own = new Set([...metricsIn(tags), ...metricsIn(derived)]);
  const kept = (profiles: readonly ProfileTag[], mine: unknown): readonly ProfileTag[] => {
    const changed = new Set(metricsIn(mine));
    return profiles.filter(({ metric }) => !own.has(metric) || changed.has(metric));
  };
  const allDerived = merge(kept(selected.derived, derived), derived);
  return {
    limits: profile.connection,
    device: {
      kind: profile.kind,
      ...profile.device,
      ...fields,
      profile: `${profile.id}@${profile.version}`,
      tags: merge(kept(selected.tags, tags), tags),
      ...(Array.isArray(allDerived) && allDerived.length === 0 ? {} : { derived: allDerived }),
    },
  };
}

function findProfile(name: string): Profile | { readonly problem: string } {
  const [id = '', version] = name.split('@');
  const profiles = loadProfiles();
  const profile = profiles.get(id);
  if (profile === undefined) {
    const nearest = nearestNames(id, profiles.keys());
    const hint = nearest.length === 0 ? '' : `; do you mean ${nearest.join(' or ')}?`;
    return { problem: `"${id}" is not a profile${hint}; there are ${[...profiles.keys()].join(', ')}` };
  }
  if (version !== undefined && version !== String(profile.version)) {
    return {
      problem: `this agent has version ${profile.version} of ${id}, not "${version}"; see docs/device-profiles.md and write ${id}@${profile.version}`,
    };
  }
  return profile;
}

function baseOf({ id, base }: Profile, given: unknown): number | string | undefined | { readonly problem: string } {
  if (base === undefined) return given === undefined ? undefined : { problem: `the addresses of ${id} are fixed; leave it out` };
  const value = given ?? base.default;
  if (value === undefined) return { problem: `is missing; ${base.meaning.en}` };
  if (base.is === 'path') {
    if (typeof value === 'string' && /^path:\/.*[^/]$/.test(value)) return value;
    return { problem: `must be a path such as path:/Objects/{urn:example}Machine1; ${base.meaning.en}` };
  }
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 65_535) return value;
  return { problem: `must be a register number from 0 to 65535; ${base.meaning.en}` };
}

/** The profile's tags with the changes to them, then the others. Not a list: as it is, for the schema to tell. */
function merge(profiles: readonly ProfileTag[], mine: unknown): unknown {
  if (mine === undefined) return profiles;
  if (!Array.isArray(mine)) return mine;
  const rest = new Set<unknown>(mine);
  const changed = profiles.map((tag) => {
    const change = mine.find((each: unknown) => isObject(each) && each.metric === tag.metric);
    rest.delete(change);
    return isObject(change) ? { ...tag, ...change } : tag;
  });
  return [...changed, ...rest];
}

function metricsIn(tags: unknown): readonly unknown[] {
  return Array.isArray(tags) ? tags.map((tag: unknown) => (isObject(tag) ? tag.metric : undefined)) : [];
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
