/** JSON Pointers (RFC 6901) over parsed JSON, with `*` for every element of a list in the pointers of a policy. */

/** The segments of a pointer, unescaped. The empty pointer has none. */
export function segmentsOf(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** The value that a pointer names; undefined when there is none. */
export function valueAt(value: unknown, pointer: string): unknown {
  let at = value;
  for (const segment of segmentsOf(pointer)) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, segment)) return undefined;
    at = (at as Readonly<Record<string, unknown>>)[segment];
  }
  return at;
}

/** Whether a pattern (segments, `*` allowed) names a path itself or something that contains it. */
export function covers(pattern: readonly string[], path: readonly string[]): boolean {
  return pattern.length <= path.length && pattern.every((segment, index) => segment === '*' || segment === path[index]);
}

/** Every leaf of a value, as segments: texts, numbers, and empty lists and objects. */
export function leavesOf(value: unknown, path: readonly string[] = []): { readonly path: readonly string[]; readonly value: unknown }[] {
  if (typeof value !== 'object' || value === null) return [{ path, value }];
  const entries = Object.entries(value);
  return entries.length === 0 ? [{ path, value }] : entries.flatMap(([key, member]) => leavesOf(member, [...path, key]));
}

/** A pointer from segments. */
export function pointerOf(path: readonly string[]): string {
  return path.map((segment) => `/${segment.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
