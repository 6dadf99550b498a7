import type { Text } from '../contract/finding.ts';

/** Why the desk does not do what it was asked to. */
export type DeskErrorCode =
  | 'not_found'
  | 'not_approver'
  | 'already_approved'
  /** The digest is not that of the bytes that are held now: look again. */
  | 'other_bytes'
  | 'wrong_state'
  | 'statutory'
  | 'policy_invalid';

/** An answer for a person, in both languages. */
export class DeskError extends Error {
  readonly code: DeskErrorCode;
  readonly text: Text;
  constructor(code: DeskErrorCode, vi: string, en: string) {
    super(en);
    this.name = 'DeskError';
    this.code = code;
    this.text = { vi, en };
  }
}
