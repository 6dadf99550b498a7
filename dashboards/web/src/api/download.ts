import type { HistoryQuery } from './endpoints.ts';
import { apiUrl, request } from './http.ts';

const byteOrderMark = '\uFEFF';

/** Saves the history of a metric as CSV. Excel reads UTF-8 only when the file begins with a byte order mark. */
export async function downloadCsv(query: HistoryQuery, everyMs: number | null): Promise<void> {
  const url = apiUrl('/history', { ...query, every: everyMs ?? undefined });
  const response = await request(url, { headers: { accept: 'text/csv' } });
  // text() drops a mark that the server may have sent.
  const blob = new Blob([byteOrderMark, await response.text()], { type: 'text/csv;charset=utf-8' });
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = `${query.machine}_${query.metric}_${new Date(query.from).toISOString().slice(0, 16)}.csv`.replace(/[/:\\ ]+/g, '-');
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
