import { HttpProblem } from '@nhip/core/process/http-problem';
import type { AccessLog } from '../store/access-log.ts';
import type { Caller } from './route.ts';

/** The enterprise that asks. Its routes are for clients of enterprises only, so there always is one. */
export function enterpriseOf({ principal }: Caller): string {
  if (principal?.role !== 'enterprise') throw new HttpProblem(403, 'This is for clients of an enterprise.');
  return principal.enterpriseId;
}

/** Writes into the access log of the caller's own enterprise that it reads; before the answer. */
export async function recordRead(log: AccessLog, caller: Caller, action: string, object: string, rowCount: number): Promise<void> {
  const { principal, purpose } = caller;
  if (principal?.role !== 'enterprise') throw new HttpProblem(403, 'This is for clients of an enterprise.');
  await log.record({
    enterpriseId: principal.enterpriseId,
    reader: `client ${principal.clientId}`,
    role: 'enterprise',
    purpose,
    action,
    object,
    rowCount,
  });
}
