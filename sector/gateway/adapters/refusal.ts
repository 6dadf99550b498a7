import { foreignObject } from '../foreign-json.ts';
import type { Delivery } from './adapter.ts';
import type { HttpAnswer } from './http-request.ts';

/** Statuses that say the report itself is not good. A 403 without findings is about the client, not about the report. */
const refusals: readonly number[] = [400, 409, 413, 422];

/** What a sector platform says against a report; undefined when it may take the same bytes later. */
export function refusalOf({ status, body }: HttpAnswer): Extract<Delivery, { kind: 'refused' }> | undefined {
  const { detail: words, first } = problemOf(body);
  if (!refusals.includes(status) && !(status === 403 && first !== undefined)) return undefined;
  // Issued in the future, says the other clock: the same bytes are good later, and a wrong clock is wrong for all reports.
  if (first?.code === 'E113') return undefined;
  // A finding may come without words.
  const detail = first?.en || words || `HTTP ${status}`;
  return {
    kind: 'refused',
    code: first?.code || String(status),
    pointer: first?.pointer ?? '',
    message: { vi: first?.vi || `Bị từ chối: ${detail}`, en: detail },
  };
}

interface FirstFinding {
  readonly code: string;
  readonly pointer: string;
  readonly vi: string;
  readonly en: string;
}

interface FoundElsewhere {
  readonly severity?: unknown;
  readonly code?: unknown;
  readonly pointer?: unknown;
  readonly message?: { readonly vi?: unknown; readonly en?: unknown };
}

/** The parts of an RFC 9457 document that are shown. It comes from elsewhere: every text is cut. */
export function problemOf(body: Uint8Array): { readonly detail?: string; readonly first?: FirstFinding } {
  const { detail: words, errors } = foreignObject(body) ?? {};
  const list: readonly unknown[] = Array.isArray(errors) ? errors : [];
  const isObject = (each: unknown): each is FoundElsewhere => typeof each === 'object' && each !== null;
  // Warnings may stand beside what the report was refused for.
  const error = list.filter(isObject).find(({ severity }) => severity !== 'warning');
  const text = (value: unknown, most: number): string => (typeof value === 'string' ? value.slice(0, most) : '');
  const detail = text(words, 500);
  return {
    ...(detail === '' ? {} : { detail }),
    ...(error === undefined
      ? {}
      : {
          first: {
            code: text(error.code, 20),
            pointer: text(error.pointer, 200),
            vi: text(error.message?.vi, 500),
            en: text(error.message?.en, 500),
          },
        }),
  };
}
