import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { checkout } from './nhip.ts';

/** A service of docker-compose.yml, in the parts that matter here, with merges and variables resolved. */
export interface Service {
  readonly name: string;
  readonly image: string;
  /** The stage of our Dockerfile that the image is built from; undefined for an image of somebody else. */
  readonly target?: string;
  readonly user: string;
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly expose: readonly string[];
  readonly ports: readonly string[];
  readonly networks: readonly string[];
  readonly networkMode?: string;
  readonly mounts: readonly Mount[];
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly dependsOn: Readonly<Record<string, { readonly condition: string }>>;
  readonly raw: Readonly<Record<string, unknown>>;
}

export interface Mount {
  /** Name of a volume, or a path from the root of the checkout when it begins with `./`. */
  readonly source: string;
  readonly target: string;
}

/** What docker compose would see: the file as it is, and its services. Variables without a default are empty. */
export function readCompose(): { readonly document: Readonly<Record<string, unknown>>; readonly services: readonly Service[] } {
  const text = readFileSync(join(checkout, 'docker-compose.yml'), 'utf8');
  const document = parse(text, { merge: true }) as { services: Record<string, Record<string, unknown>> };
  const raws = Object.entries(document.services).map(([name, raw]) => [name, interpolate(raw)] as const);
  const targets = new Map(
    raws.flatMap(([, { image, build }]) => (build === undefined ? [] : [[String(image), (build as { target: string }).target]])),
  );
  return { document, services: raws.map(([name, raw]) => serviceOf(name, raw, targets.get(String(raw.image)))) };
}

function serviceOf(name: string, raw: Record<string, unknown>, target: string | undefined): Service {
  const { entrypoint, command, environment, healthcheck, volumes, depends_on: dependsOn, network_mode: networkMode } = raw;
  const list = (key: string): readonly string[] => (raw[key] as string[] | undefined) ?? [];
  return {
    name,
    raw,
    image: String(raw.image),
    user: String(raw.user),
    expose: list('expose'),
    ports: list('ports'),
    networks: list('networks'),
    environment: (environment as Record<string, string> | undefined) ?? {},
    mounts: ((volumes as (string | Mount)[] | undefined) ?? []).map(mountOf),
    dependsOn: (dependsOn as Service['dependsOn'] | undefined) ?? {},
    ...(networkMode === undefined ? {} : { networkMode: String(networkMode) }),
    ...(target === undefined ? {} : { target }),
    ...(entrypoint === undefined ? {} : { entrypoint: entrypoint as string[] }),
    ...(command === undefined ? {} : { command: command as string[] }),
    ...(healthcheck === undefined ? {} : { healthcheck: healthcheck as { test: string[] } }),
  };
}

function mountOf(mount: string | Mount): Mount {
  if (typeof mount !== 'string') return { source: mount.source, target: mount.target };
  const [source = '', target = ''] = mount.split(':');
  return { source, target };
}

/** `${NAME:-default}` and `$$` as in the Compose specification, chapter Interpolation. */
function interpolate<T>(value: T): T {
  if (typeof value === 'string') {
    return value.replaceAll(/\$\$|\$\{\w+(?::-([^}]*))?\}/g, (found, byDefault: string | undefined) =>
      found === '$$' ? '$' : (byDefault ?? ''),
    ) as T;
  }
  if (Array.isArray(value)) return value.map((item) => interpolate(item)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, interpolate(item)])) as T;
}

/** ENTRYPOINT and ENV of a target of the Dockerfile. */
export function imageOf(target: string): {
  readonly entrypoint: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
} {
  const stages = readFileSync(join(checkout, 'Dockerfile'), 'utf8').split(/^FROM /m);
  const stage = stages.find((text) => new RegExp(`^\\S.* AS ${target}$`, 'm').test(text.split('\n')[0] ?? ''));
  const entrypoint = /^ENTRYPOINT (.+)$/m.exec(stage ?? '')?.[1];
  if (entrypoint === undefined) throw new Error(`the Dockerfile has no target ${target} with an ENTRYPOINT`);
  const pairs = [...(/^ENV (.+)$/m.exec(stage ?? '')?.[1] ?? '').matchAll(/(\w+)=(\S+)/g)].map(([, key = '', text = '']) => [key, text]);
  return { entrypoint: JSON.parse(entrypoint) as string[], environment: Object.fromEntries(pairs) };
}
