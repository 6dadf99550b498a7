/**
 * Line protocol, exact: what is written comes back the same. InfluxDB's own escaping cannot say everything in a tag value (a backslash
 * at the end, a new line, what is not printable), so such characters, and they alone, go as the percent codes of their UTF-8 bytes.
 * A percent sign stays as it is unless it looks like such a code.
 */

const unsayable = /%(?=[0-9A-F]{2})|\\|\ufffd|(?! )[\p{C}\p{Z}]/gu;
const codes = /(?:%[0-9A-F]{2})+/g;
const utf8 = new TextEncoder();

/** The name as it is stored in a tag. Lone surrogates, which UTF-8 cannot say, become U+FFFD. */
export function encodeName(name: string): string {
  return name.replace(unsayable, (character) =>
    Array.from(utf8.encode(character), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
}

/** The name that `encodeName` was given; a name that it did not make is given back as it is. */
export function decodeName(stored: string): string {
  if (!stored.includes('%')) return stored;
  return stored.replace(codes, (text) => {
    try {
      return decodeURIComponent(text);
    } catch {
      return text;
    }
  });
}

/** `,name=value` with everything escaped; '' for an empty value, which InfluxDB has no other way to say. */
export function tag(key: string, value: string): string {
  return value === '' ? '' : `,${key}=${encodeName(value).replace(/[,= ]/g, '\\$&')}`;
}

/** A string field: any text, new lines too. */
export function textField(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/** An integer field; what is no integer is rounded, what is no number is 0. */
export function integerField(value: number): string {
  return `${Number.isFinite(value) ? BigInt(Math.round(value)) : 0}i`;
}

/** A string literal of InfluxQL. */
export function quoteText(text: string): string {
  return `'${text.replace(/['\\]/g, '\\$&').replaceAll('\n', '\\n')}'`;
}

const nsDigits = 6;

/** Time stamp in ns of a whole `ms` from 0 on and a `tick` below 10⁶: unique within a series when (ms, tick) is. */
export function timeStamp(ms: number, tick: number): string {
  return `${ms}${String(tick).padStart(nsDigits, '0')}`;
}

/** The last whole ms of which every ns fits into InfluxDB's 64-bit time. */
export const lastMs = 9_223_372_036_853;
