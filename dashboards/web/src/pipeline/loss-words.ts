import type { Completeness } from '@nhip/core/wire/live';
import type { LossReason } from '@nhip/core/wire/loss';
import type { Format } from '../i18n/format.ts';
import type { Language } from '../i18n/translate.ts';
import { missingOf } from './hours.ts';
import type { LossEvent } from './loss-events.ts';
import { type PathKey, pathVi } from './path-vi.ts';
import { translatePath } from './path-words.ts';

/** Why, in words. */
export function reasonWords(language: Language, reason: LossReason): string {
  return translatePath(language, `loss.${reason}`);
}

/** What to do about it, or that nothing is left to do. */
export function reasonAdvice(language: Language, reason: LossReason): string {
  return translatePath(language, `loss.do.${reason}`);
}

/** Why a message was refused; a reason that has no words yet is shown as it is. */
export function deadLetterWords(language: Language, detail: string): string {
  const key = `dead.${detail}`;
  return Object.hasOwn(pathVi, key) ? translatePath(language, key as PathKey & `dead.${string}`) : detail;
}

/** "Mất 1.240 mẫu" with whose, or that nobody knows how many. */
export function eventTitle(language: Language, format: Format, event: LossEvent): string {
  const edge = event.edge === '' ? translatePath(language, 'loss.unknownEdge') : event.edge;
  return event.samples === 0
    ? translatePath(language, 'loss.eventUncounted', { edge })
    : translatePath(language, 'loss.event', { edge, n: format.int(event.samples) });
}

/** "10:02:05 – 10:14:11 (12 ph)"; only the time when it was a moment. */
export function spanWords(format: Format, { fromMs, toMs }: Pick<LossEvent, 'fromMs' | 'toMs'>, nowMs: number): string {
  if (toMs - fromMs < 1000) return format.moment(fromMs, nowMs);
  return `${format.moment(fromMs, nowMs)} – ${format.moment(toMs, nowMs)} (${format.length(toMs - fromMs)})`;
}

/** One line for a machine that misses something in a range; null when nothing is missing. */
export function missingLine(language: Language, format: Format, { totals, reasons, unattributed }: Completeness): string | null {
  const missing = missingOf(totals);
  if (missing === 0 && unattributed === 0) return null;
  if (missing === 0) return translatePath(language, 'complete.unattributed', { n: format.int(unattributed) });
  const why = reasons.map(({ reason, samples }) => `${lowerFirst(reasonWords(language, reason))} (${format.int(samples)})`).join(', ');
  const share = format.share(totals.completeness === null ? 1 : 1 - totals.completeness);
  const line =
    why === ''
      ? translatePath(language, 'complete.missing', { n: format.int(missing), share })
      : translatePath(language, 'complete.missingWhy', { n: format.int(missing), share, why });
  return unattributed === 0 ? line : `${line} ${translatePath(language, 'complete.unattributed', { n: format.int(unattributed) })}`;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
