/** What a login or a token may do; each includes those before it. */
export const scopes = ['metrics', 'read', 'operate', 'admin'] as const;
export type Scope = (typeof scopes)[number];

/** In one line each, for the help and the API's description. */
export const scopeWords: Readonly<Record<Scope, string>> = {
  metrics: 'figures for Prometheus at /metrics, nothing else',
  read: 'live values, history and figures',
  operate: 'read, and daily work that changes something, e.g. replaying dead letters',
  admin: 'everything: backups, certificates and configurations of edges',
};

export function isScope(text: string): text is Scope {
  return scopes.some((scope) => scope === text);
}

/** Whether what is held allows what is needed. */
export function allows(held: Scope, needed: Scope): boolean {
  return scopes.indexOf(held) >= scopes.indexOf(needed);
}
