import { decodePayload } from '@nhip/core/wire/sparkplug/decode';
import type { Metric } from '@nhip/core/wire/sparkplug/payload';
import { formatTime } from '@nhip/core/wire/time';
import type { KeptLetter } from './letters.ts';

const shownBytes = 2048;
const shownRows = 30;

export function letterJson({ letter: { record: _, ...head }, message, edge }: KeptLetter): object {
  const { receivedMs, sender, topic, payload } = message;
  return { ...head, edge, received: formatTime(receivedMs), sender, topic, payloadBase64: Buffer.from(payload).toString('base64') };
}

export function letterLine({ letter, message }: KeptLetter): string {
  const { sourceIndex, reason, samples, detail } = letter;
  const at = `${String(sourceIndex).padStart(8)}  ${formatTime(message.receivedMs)}`;
  return `${at}  ${reason.padEnd(20)} ${samples} sample(s)  ${harmless(message.topic)}  ${harmless(detail)}\n`;
}

/** One letter for a person: whose samples, and the message as far as it can be read; at most a few screens. */
export function letterText(kept: KeptLetter): string {
  const { letter, message, edge } = kept;
  const rows = letter.rows.slice(0, shownRows).map(({ machine, metric, samples, fromMs, toMs }) => {
    const span = fromMs === toMs ? formatTime(fromMs) : `${formatTime(fromMs)} … ${formatTime(toMs)}`;
    return `    ${harmless(machine) || '?'}  ${harmless(metric) || '?'}  ${samples} sample(s)  ${span}`;
  });
  return [
    letterLine(kept).trimEnd(),
    `  edge     ${harmless(edge)}`,
    ...(rows.length === 0 ? [] : ['  samples', ...rows, ...more(letter.rows.length)]),
    `  message  ${message.payload.length} bytes`,
    ...bodyOf(message.topic, message.payload),
    '',
  ].join('\n');
}

function more(count: number): readonly string[] {
  return count > shownRows ? [`    … and ${count - shownRows} more; --json shows all`] : [];
}

/** Sparkplug as its metrics, anything else as text with dots for what cannot be shown. */
function bodyOf(topic: string, payload: Uint8Array): readonly string[] {
  if (topic.startsWith('spBv1.0/')) {
    try {
      const { metrics } = decodePayload(payload);
      return [...metrics.slice(0, shownRows).map(metricLine), ...more(metrics.length)];
    } catch {
      // Malformed: as bytes.
    }
  }
  const text = harmless(Buffer.from(payload.subarray(0, shownBytes)).toString('utf8').replaceAll('\ufffd', '·'));
  return [`    ${text}${payload.length > shownBytes ? ` … (${payload.length - shownBytes} bytes more; --json shows all)` : ''}`];
}

function metricLine({ name, alias, timestampMs, value }: Metric): string {
  const who = name === undefined ? `alias ${String(alias)}` : harmless(name);
  const shown =
    value instanceof Uint8Array ? `${value.length} bytes` : typeof value === 'object' && value !== null ? '(composite)' : String(value);
  return `    ${who} = ${harmless(shown.slice(0, 120))}${timestampMs === undefined ? '' : `  ${formatTime(timestampMs)}`}`;
}

/** A publisher chose this text: control characters could make the terminal show something else. */
function harmless(text: string): string {
  return text.replaceAll(/\p{C}/gu, '·');
}

export interface SummaryRow {
  readonly reason: string;
  readonly edge: string;
  readonly letters: number;
  readonly samples: number;
  readonly last: string;
}

/** Counts by reason and edge, most samples first. */
export function createSummary(): { add(kept: KeptLetter): void; rows(): readonly SummaryRow[]; text(): string } {
  const groups = new Map<string, { readonly reason: string; readonly edge: string; letters: number; samples: number; lastMs: number }>();
  const rows = (): readonly SummaryRow[] =>
    [...groups.values()].sort((a, b) => b.samples - a.samples).map(({ lastMs, ...group }) => ({ ...group, last: formatTime(lastMs) }));
  return {
    add({ letter, message, edge }) {
      const key = `${letter.reason} ${edge}`;
      const group = groups.get(key) ?? { reason: letter.reason, edge, letters: 0, samples: 0, lastMs: 0 };
      group.letters++;
      group.samples += letter.samples;
      group.lastMs = Math.max(group.lastMs, message.receivedMs);
      groups.set(key, group);
    },
    rows,
    text: () =>
      rows()
        .map(({ reason, edge, letters, samples, last }) => {
          return `${reason.padEnd(20)} ${harmless(edge).padEnd(24)} ${letters} letter(s)  ${samples} sample(s)  last ${last}\n`;
        })
        .join(''),
  };
}
