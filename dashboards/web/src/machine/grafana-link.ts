import type { Language } from '../i18n/translate.ts';

/** The dashboard of a machine in Grafana; `origin` is ours, for its links back to us. null without a Grafana. */
export function grafanaLink(grafanaUrl: string | null, machine: string, language: Language, origin: string): string | null {
  // Only an address of the web: the server checks it too, but a link may run what it says.
  if (grafanaUrl === null || !/^https?:\/\//i.test(grafanaUrl)) return null;
  const query = `var-machine=${encodeURIComponent(machine)}&var-nhip=${encodeURIComponent(origin)}`;
  return `${grafanaUrl.replace(/\/+$/, '')}/d/nhip-machine-${language}?${query}`;
}
