export type CsvCell = string | number | bigint | boolean | null;

/**
 * CSV (RFC 4180) as spreadsheets want it: UTF-8 with byte order mark, CRLF. Text that a spreadsheet would run as a formula
 * (starts with = + - @, tab or return) gets a leading apostrophe.
 */
export function csvText(header: readonly string[], rows: Iterable<readonly CsvCell[]>, separator: ',' | ';'): string {
  const lines = [header.join(separator)];
  for (const row of rows) lines.push(row.map((cell) => cellText(cell, separator)).join(separator));
  return `\uFEFF${lines.join('\r\n')}\r\n`;
}

function cellText(cell: CsvCell, separator: string): string {
  if (cell === null) return '';
  if (typeof cell !== 'string') return String(cell);
  const text = /^[=+\-@\t\r]/.test(cell) && !isNumber(cell) ? `'${cell}` : cell;
  return text.includes(separator) || /["\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function isNumber(text: string): boolean {
  return /^[+-]?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text);
}
