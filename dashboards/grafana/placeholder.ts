/**
 * A variable as Grafana replaces it. `regex` escapes a value for a regular expression and joins several; `raw` leaves it alone. The format
 * is always told where it matters: without one it depends on what stands around it.
 */
export function placeholder(name: string, format?: 'regex' | 'raw' | 'percentencode'): string {
  return format === undefined ? `\${${name}}` : `\${${name}:${format}}`;
}
