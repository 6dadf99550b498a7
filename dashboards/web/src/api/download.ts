import type { HistoryQuery } from './endpoints.ts';
import { apiUrl, request } from './http.ts';

const byteOrderMark = '\uFEFF';

/** Saves the history of a metric as CSV. */
export function downloadCsv(query: HistoryQuery, everyMs: number | null): Promise<void> {
  const name = `${query.machine}_${query.metric}_${new Date(query.from).toISOString().slice(0, 16)}`;
  return download(apiUrl('/history', { ...query, every: everyMs ?? undefined }), name);
}

/** Saves the losses of the last seven days as CSV. */
export function downloadLosses(): Promise<void> {
  return download(apiUrl('/losses', { limit: 10_000 }), 'losses');
}

/** Excel reads UTF-8 only when the file begins with a byte order mark. */
async function download(url: string, name: string): Promise<void> {
  const response = await request(url, { headers: { accept: 'text/csv' } });
  // text() drops a mark that the server may have sent.
  save(new Blob([byteOrderMark, await response.text()], { type: 'text/csv;charset=utf-8' }), `${name}.csv`);
}

/** Saves a text as it is, byte for byte. */
export function saveText(text: string, fileName: string): void {
  save(new Blob([text], { type: 'application/json' }), fileName);
}

function save(blob: Blob, fileName: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = fileName.replace(/[/:\\ ]+/g, '-');
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
