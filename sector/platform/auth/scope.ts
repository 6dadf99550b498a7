/** What a client of an enterprise may do. */
export const scopes = ['reports:submit', 'reports:read'] as const;
export type Scope = (typeof scopes)[number];

export const scopeWords: Readonly<Record<Scope, string>> = {
  'reports:submit': 'send reports',
  'reports:read': 'read the own reports, receipts, refused reports and the access log',
};

/** Who asks: a client of an enterprise, or the operator of this server. */
export type Principal =
  | { readonly role: 'enterprise'; readonly enterpriseId: string; readonly clientId: string; readonly scopes: readonly Scope[] }
  | { readonly role: 'operator' };

export function isScope(text: string): text is Scope {
  return (scopes as readonly string[]).includes(text);
}
