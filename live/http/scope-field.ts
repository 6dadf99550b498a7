import { HttpProblem } from '@nhip/core/process/http-problem';
import { z } from 'zod';
import type { ScopeMembers } from '../kpi/scopes.ts';

export const scopeField = z
  .string()
  .max(220)
  .default('site')
  .meta({ examples: ['site', 'line:L1', 'machine:hoalac/press/M01'] })
  .describe('`site`, `line:<id>` or `machine:<group>/<edge>/<device>`, percent-encoded');

/** Throws a 400 for text that is no scope and a 404 for one that is not there. */
export function readScope(find: (text: string) => ScopeMembers | undefined, text: string): ScopeMembers {
  if (text !== 'site' && !/^(line|machine):./.test(text)) {
    throw new HttpProblem(400, `scope "${text}" is not known: write site, line:<id> or machine:<group>/<edge>/<device>.`);
  }
  const found = find(text);
  if (found === undefined) throw new HttpProblem(404, `There is no ${text}: GET /api/v1/machines lists machines with their lines.`);
  return found;
}
