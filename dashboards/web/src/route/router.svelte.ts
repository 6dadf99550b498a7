import { parsePath, patchedQuery, type QueryPatch } from './route.ts';

/** History API router: `path` and `query` are reactive, plain links to the same origin navigate without a reload. */
class Router {
  #pathname = $state('/');
  #search = $state('');
  readonly route = $derived(parsePath(this.#pathname));
  readonly query = $derived(new URLSearchParams(this.#search));

  start(): void {
    this.#read();
    addEventListener('popstate', () => this.#read());
    document.addEventListener('click', (event) => this.#follow(event));
  }

  /** A link inside the app: keeps an explicit language, and nothing else of this view. */
  href(path: string): string {
    const lang = this.query.get('lang');
    return lang === null ? path : `${path}?lang=${encodeURIComponent(lang)}`;
  }

  go(href: string): void {
    history.pushState(null, '', href);
    this.#read();
    scrollTo(0, 0);
  }

  /** Changes parameters of this view. `push` makes a step that "back" undoes. */
  set(patch: QueryPatch, how: 'push' | 'replace' = 'replace'): void {
    const url = `${this.#pathname}${patchedQuery(this.#search, patch)}`;
    if (how === 'push') history.pushState(null, '', url);
    else history.replaceState(null, '', url);
    this.#read();
  }

  #read(): void {
    this.#pathname = location.pathname;
    this.#search = location.search;
  }

  #follow(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (link === null || link.target !== '' || link.hasAttribute('download') || link.origin !== location.origin) return;
    if (link.hash !== '' && link.pathname === location.pathname) return;
    if (parsePath(link.pathname).view === 'notFound') return;
    event.preventDefault();
    this.go(`${link.pathname}${link.search}`);
  }
}

export const router = new Router();
