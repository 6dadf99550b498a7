import type { Readable } from 'node:stream';
import { HttpProblem } from '@nhip/core/process/http-problem';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { fileName } from './exports.ts';

export type CsvCell = string | number | bigint | boolean | null;
export type Separator = ',' | ';';

/**
 * CSV (RFC 4180) as spreadsheets want it: UTF-8 with byte order mark, CRLF. Text that a spreadsheet would run as a formula
 * (starts with = + - @, tab or return) gets a leading apostrophe.
 */
export function csvText(header: readonly string[], rows: Iterable<readonly CsvCell[]>, separator: Separator): string {
  return csvHead(header, separator) + csvLines(rows, separator);
}

/** The first line with the byte order mark. */
export function csvHead(header: readonly string[], separator: Separator): string {
  return `\uFEFF${header.join(separator)}\r\n`;
}

export function csvLines(rows: Iterable<readonly CsvCell[]>, separator: Separator): string {
  let text = '';
  for (const row of rows) text += `${row.map((cell) => cellText(cell, separator)).join(separator)}\r\n`;
  return text;
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

const mediaTypes = { json: 'application/json', csv: 'text/csv', parquet: 'application/vnd.apache.parquet' } as const;
export type Format = keyof typeof mediaTypes;

/** The first of the caller's wishes that is offered. Throws a 406 that lists what is. */
export function acceptedType<Offered extends Format>(accept: string | undefined, offered: readonly Offered[]): Offered | 'json' {
  for (const part of (accept ?? '*/*').split(',')) {
    const type = part.split(';')[0]?.trim().toLowerCase() ?? '';
    if (type === '*/*' || type === 'application/*' || type === 'text/html') return 'json';
    const found = offered.find((format) => mediaTypes[format] === type);
    if (found !== undefined) return found;
  }
  const list = offered.map((format) => mediaTypes[format]).join(', ');
  throw new HttpProblem(406, `Here are ${list}, not ${(accept ?? '').slice(0, 100)}: say so in the header Accept.`);
}

/** Sends it as a file of that name. */
export function sendCsv(reply: FastifyReply, name: string, content: string | Readable): FastifyReply {
  return reply
    .type('text/csv; charset=utf-8')
    .header('content-disposition', `attachment; filename="${fileName(name, 'csv')}"`)
    .send(content);
}
