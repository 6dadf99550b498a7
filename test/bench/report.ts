import { arch, cpus, release, totalmem } from 'node:os';
import { type BenchResult, type Figure, isMet, median } from './figures.ts';

/** One finished bench. */
export interface Finished extends BenchResult {
  readonly name: string;
  readonly summary: string;
  readonly runs: number;
  /** ISO date of the measurement, and the machine it was made on. */
  readonly date: string;
  readonly machine: string;
}

/** The machine in one line: figures of different machines must not be compared. */
export function machineLine(): string {
  const list = cpus();
  const memoryGb = Math.round(totalmem() / 1e9);
  return `${list[0]?.model.trim() ?? 'unknown CPU'} × ${list.length}, ${memoryGb} GB, ${process.platform} ${release()} ${arch()}, Node ${process.versions.node}`;
}

const columns = ['Figure', 'Median', 'Min – max', 'Memory', 'Target', ''] as const;

function cells(figure: Figure): readonly string[] {
  const { values, memory, target } = figure;
  const mid = median(values);
  return [
    figure.what,
    `${number(mid)} ${figure.unit}`.trimEnd(),
    values.length === 1 ? 'one run' : `${number(Math.min(...values))} – ${number(Math.max(...values))}`,
    memory === undefined ? '' : `${number(median(memory.values))} ${memory.unit}`,
    target === undefined ? '' : `${target.kind === 'atLeast' ? '≥' : '≤'} ${number(target.value)}`,
    target === undefined ? '' : isMet(target, mid) ? 'met' : 'missed',
  ];
}

/** A table for a terminal. */
export function textTable(bench: Finished): string {
  const rows = [columns, ...bench.figures.map(cells)];
  const widths = columns.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
  const notes = bench.notes.map((note) => `  ${note}`);
  return [`\n${bench.name}: ${bench.summary} (${bench.runs} runs)`, '', ...lines.map((line) => `  ${line}`), '', ...notes, ''].join('\n');
}

/** The same as Markdown, between the markers that `replaceSection` looks for. */
export function markdownSection(bench: Finished): string {
  const row = (list: readonly string[]): string => `| ${list.join(' | ')} |`;
  return [
    `## ${bench.name}`,
    '',
    `${bench.summary}.`,
    '',
    row(columns),
    `| --- | ${columns
      .slice(1, -1)
      .map(() => '---:')
      .join(' | ')} | --- |`,
    ...bench.figures.map((figure) => row(cells(figure))),
    '',
    ...bench.notes.map((note) => `- ${note}`),
    `- ${bench.runs} runs on ${bench.date}; ${bench.machine}.`,
  ].join('\n');
}

/** Puts a bench's section into the document, in place of its old one, else at the end. */
export function replaceSection(document: string, name: string, section: string): string {
  const begin = `<!-- bench:${name} -->`;
  const end = `<!-- /bench:${name} -->`;
  const marked = `${begin}\n${section}\n${end}`;
  const from = document.indexOf(begin);
  const to = document.indexOf(end);
  if (from < 0 || to < from) return `${document.trimEnd()}\n\n${marked}\n`;
  return `${document.slice(0, from)}${marked}${document.slice(to + end.length)}`;
}

/** Three significant digits, thousands apart. */
function number(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en-GB', { maximumFractionDigits: digits });
}
