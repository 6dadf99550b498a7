/** The URL is the state of a view: what cannot be read from it cannot be shared. */
export type Route =
  | { readonly view: 'overview' }
  | { readonly view: 'machine'; readonly id: string }
  | { readonly view: 'stops' }
  | { readonly view: 'health' }
  | { readonly view: 'pipeline' }
  | { readonly view: 'sharing' }
  | { readonly view: 'login' }
  | { readonly view: 'notFound' };

/** Reads a path such as `/m/plant%2Fedge%2FCNC-01`. Broken percent-encoding is "not found". */
export function parsePath(pathname: string): Route {
  const path = pathname.length > 1 ? pathname.replace(/\/+$/, '') : pathname;
  if (path === '/' || path === '') return { view: 'overview' };
  if (path === '/stops') return { view: 'stops' };
  if (path === '/connections') return { view: 'health' };
  if (path === '/pipeline') return { view: 'pipeline' };
  if (path === '/sharing') return { view: 'sharing' };
  if (path === '/login') return { view: 'login' };
  if (!path.startsWith('/m/')) return { view: 'notFound' };
  try {
    const id = decodeURIComponent(path.slice(3));
    return id === '' ? { view: 'notFound' } : { view: 'machine', id };
  } catch {
    return { view: 'notFound' };
  }
}

export function machinePath(id: string): string {
  return `/m/${encodeURIComponent(id)}`;
}

export type QueryPatch = Readonly<Record<string, string | null>>;

/** Query text (with `?`, or empty) after setting some parameters and removing those that are null. */
export function patchedQuery(search: string, patch: QueryPatch): string {
  const query = new URLSearchParams(search);
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString();
  return text === '' ? '' : `?${text}`;
}
