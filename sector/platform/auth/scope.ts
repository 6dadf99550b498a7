/** What a client of an enterprise may do. */
export const scopes = ['reports:submit', 'reports:read', 'status:submit'] as const;
export type Scope = (typeof scopes)[number];

export const scopeWords: Readonly<Record<Scope, string>> = {
  'reports:submit': 'send reports',
  'reports:read': 'read the own reports, receipts, refused reports, machine states and the access log',
  'status:submit': 'send states of machines',
};

/** Who asks: a client of an enterprise, or the operator of this server. */
export type Principal =
  | { readonly role: 'enterprise'; readonly enterpriseId: string; readonly clientId: string; readonly scopes: readonly Scope[] }
  | { readonly role: 'operator' };

export function isScope(text: string): text is Scope {
  return (scopes as readonly string[]).includes(text);
}
