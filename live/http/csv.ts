import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { HttpProblem } from './problem.ts';

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

/** Query field of every route that can answer in CSV. */
export const separatorField = {
  sep: z.enum([',', ';']).default(',').describe('Separator of CSV; `;` for spreadsheets in a decimal-comma language'),
};

/** What a caller wants of JSON and CSV. Throws a 406; Parquet is part of the plan but not there yet, and saying so beats a wrong format. */
export function acceptedType(accept = '*/*'): 'json' | 'csv' {
  const types = accept.split(',').map((part) => part.split(';')[0]?.trim().toLowerCase() ?? '');
  for (const type of types) {
    if (type === 'text/csv') return 'csv';
    if (type === 'application/json' || type === '*/*' || type === 'application/*' || type === 'text/html') return 'json';
  }
  throw new HttpProblem(
    406,
    `This server writes application/json and text/csv, not ${accept.slice(0, 100)}. Parquet files of closed days lie in the data folder.`,
  );
}

/** Sends it as a file of that name, without what file systems do not like. */
export function sendCsv(reply: FastifyReply, name: string, text: string): FastifyReply {
  const file = `${name}.csv`.replaceAll(/[^A-Za-z0-9_.-]+/g, '-');
  return reply.type('text/csv; charset=utf-8').header('content-disposition', `attachment; filename="${file}"`).send(text);
}
