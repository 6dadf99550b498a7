import { reasonOf } from '@nhip/core/process/errors';
/** What one check found: `wrong` must be mended, `note` is worth knowing, `ok` is fine. */
export interface Finding {
  readonly check: string;
  readonly state: 'ok' | 'note' | 'wrong';
  readonly says: string;
  /** What to do about it. */
  readonly todo?: string | undefined;
}

export function ok(check: string, says: string): Finding {
  return { check, state: 'ok', says };
}

export function note(check: string, says: string, todo?: string): Finding {
  return { check, state: 'note', says, todo };
}

export function wrong(check: string, says: string, todo: string): Finding {
  return { check, state: 'wrong', says, todo };
}

/** `1.5 GB`, `20 MB`; decimal, as disks are sold. */
export function sizeText(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.round(bytes / 1e6)} MB`;
}

/** `90 s`, `5 min`, `3 h`, `2 days`. */
export function durationText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} days`;
}

export function codeOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return reasonOf(error);
}
