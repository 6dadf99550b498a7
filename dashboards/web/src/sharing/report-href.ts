import { router } from '../route/router.svelte.ts';

/** The address of a report on the page of what leaves. */
export function reportHref(id: string): string {
  const href = router.href('/sharing');
  return `${href}${href.includes('?') ? '&' : '?'}report=${encodeURIComponent(id)}`;
}
