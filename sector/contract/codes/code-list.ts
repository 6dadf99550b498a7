import type { Text } from '../finding.ts';

/**
 * A code list: data with a scheme, dates and a source. Codes change over the years, so a code is only ever valid in a scheme at a date;
 * two lists are never compared code by code but through a mapping (`mapCode`).
 */
export interface CodeList {
  /** Name of the scheme as the contract writes it. */
  readonly id: string;
  readonly title: Text;
  /** First and last date (`YYYY-MM-DD`, local) of the list. */
  readonly validFrom: string;
  readonly validTo?: string;
  readonly source: string;
  /** Whether every code is listed. Of an incomplete list, codes of the right form are accepted as `unlisted`. */
  readonly isComplete: boolean;
  readonly form: RegExp;
  /** In an incomplete list: length of the leading part that must be listed; absent: the form alone decides. */
  readonly listedPrefix?: number;
  /** A check digit or the like. */
  readonly isSound?: (code: string) => boolean;
  readonly items: readonly CodeItem[];
  /** Further codes that are listed without a name; the source has their names. */
  readonly codes?: readonly string[];
}

export interface CodeItem extends Text {
  readonly code: string;
}

export type CodeStatus = 'listed' | 'unlisted' | 'invalid';

/** Whether a date (`YYYY-MM-DD`) is within those of a list. */
export function isInForce({ validFrom, validTo }: CodeList, atDate: string): boolean {
  return atDate >= validFrom && (validTo === undefined || atDate <= validTo);
}

/** What a list says about a code at a date (`YYYY-MM-DD`). */
export function codeStatus(list: CodeList, code: string, atDate: string): CodeStatus {
  if (!isInForce(list, atDate)) return 'invalid';
  if (!list.form.test(code) || list.isSound?.(code) === false) return 'invalid';
  if (hasCode(list, code)) return 'listed';
  if (list.isComplete) return 'invalid';
  if (list.listedPrefix === undefined) return 'unlisted';
  const prefix = code.slice(0, list.listedPrefix);
  return hasCode(list, prefix) ? 'unlisted' : 'invalid';
}

/** Whether a list names a code, at any date. */
export function hasCode({ items, codes }: CodeList, code: string): boolean {
  return items.some((item) => item.code === code) || codes?.includes(code) === true;
}
