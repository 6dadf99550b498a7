import { isId } from '@nhip/core/wire/topic';

/** What is wrong with the names in a configuration as a whole. `path` is the place in the file, e.g. `connections[1].devices[0].id`. */
export interface IdProblem {
  readonly path: string;
  readonly message: string;
}

/**
 * Ids of connections and of devices that are there twice, devices whose id cannot stand in a topic, and tags of one device with the same
 * metric. Takes a configuration that was not checked as well: what is not as it should be is passed over.
 */
export function idProblems(config: unknown): readonly IdProblem[] {
  const problems: IdProblem[] = [];
  const seen = new Map<string, string>();
  const take = (kind: string, id: unknown, key: string, path: string): void => {
    if (typeof id !== 'string') return;
    const first = seen.get(key);
    if (first === undefined) seen.set(key, path);
    else problems.push({ path, message: `the ${kind} "${id}" is there twice, also at ${first}` });
  };
  entries(config, 'connections').forEach((connection, c) => {
    const at = `connections[${c}]`;
    take('connection', connection.id, `connection ${connection.id}`, `${at}.id`);
    entries(connection, 'devices').forEach((device, d) => {
      const path = `${at}.devices[${d}]`;
      if (typeof device.id === 'string' && !isId(device.id)) {
        const message = `device "${device.id}" cannot stand in a topic: an id has 1–64 letters, digits, _ . or -`;
        problems.push({ path: `${path}.id`, message });
      }
      take('device', device.id, `device ${device.id}`, `${path}.id`);
      entries(device, 'tags').forEach((tag, t) => {
        // Tags of a list of elements make metrics of other names.
        if (tag.elements !== undefined) return;
        // Names that differ only in case are one series for many Sparkplug hosts (tck-id-case-sensitivity-metric-names).
        take('tag', tag.metric, `tag ${path} ${String(tag.metric).toLowerCase()}`, `${path}.tags[${t}].metric`);
      });
    });
  });
  return problems;
}

type Entry = Readonly<Record<string, unknown>>;

/** Place holders keep the numbers of what is behind them. */
function entries(of: unknown, key: string): readonly Entry[] {
  const list = isEntry(of) ? of[key] : undefined;
  return Array.isArray(list) ? list.map((each: unknown) => (isEntry(each) ? each : {})) : [];
}

function isEntry(value: unknown): value is Entry {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
