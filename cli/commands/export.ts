import { existsSync } from 'node:fs';
import { copyFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { ConfigError, PermanentError, RetryableError } from '@nhip/core/process/errors';
import { createNodeClock } from '@nhip/core/process/node-clock';
import { parseTime } from '@nhip/core/wire/time';
import { createDuckdbStore } from '@nhip/stores/duckdb/duckdb-store';
import type { ExportQuery } from '@nhip/stores/history-store';
import { type Command, commonFlags, type Input } from '../arguments.ts';
import { syncPath } from '../backup/digest.ts';
import { embeddedStore } from '../history.ts';
import { findServer, serverFlags } from '../server-client.ts';
import { type ServerSetup, serverSetup } from '../server-config.ts';
import { takeWhenStopped } from '../server-lock.ts';

/**
 * Only one process can have a DuckDB file open: a running server writes the file itself and hands it out over its API, which works
 * from another computer too. Of a stopped one this process reads the data folder.
 */
export const exportCommand: Command = {
  name: 'export',
  usage: '--from TIME --to TIME --out FILE',
  summary:
    'Writes all samples of a time into one Parquet or CSV file, sorted by machine, metric and time. Works while the server runs and while it is stopped.',
  flags: {
    config: commonFlags.config,
    data: commonFlags.data,
    from: { summary: 'Begin, e.g. 2026-11-01 or 2026-11-01T06:00:00+07:00; a date alone begins at midnight UTC', value: 'TIME' },
    to: { summary: 'End, not included (default: now)', value: 'TIME' },
    machine: { summary: 'Only this machine, <group>/<edge>/<device>', value: 'ID' },
    metric: { summary: 'Only this metric, e.g. Power/Active', value: 'NAME' },
    format: { summary: 'parquet or csv (default: as FILE ends, else parquet)', value: 'FORMAT' },
    out: { summary: 'File to write; it must not be there', value: 'FILE' },
    ...serverFlags,
    json: { summary: 'One line of JSON when done' },
  },
  async run(input) {
    const { out, query } = readRequest(input, createNodeClock().now());
    const partial = join(dirname(out), `.${basename(out)}.partial`);
    await rm(partial, { force: true });
    let bytes: number;
    try {
      bytes = await write(input, query, partial);
      await rename(partial, out);
      await syncPath(dirname(out));
    } catch (error) {
      await rm(partial, { force: true });
      throw error;
    }
    process.stdout.write(
      input.isSet('json') ? `${JSON.stringify({ file: out, bytes })}\n` : `${out}: ${(bytes / 1_000_000).toFixed(1)} MB, ${query.format}\n`,
    );
    return 0;
  },
};

/** Throws ConfigError with all that is wrong. */
export function readRequest(
  input: Pick<Input, 'text' | 'positionals'>,
  nowMs: number,
): { readonly out: string; readonly query: ExportQuery } {
  const problems: string[] = input.positionals.length > 0 ? [`"${input.positionals[0]}" is not expected here`] : [];
  const time = (name: 'from' | 'to', fallback: number | undefined): number => {
    const text = input.text(name);
    const ms = text === undefined ? fallback : parseTime(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00Z` : text);
    if (ms !== undefined) return ms;
    problems.push(
      text === undefined
        ? `say --${name} TIME, e.g. --${name} 2026-11-01`
        : `--${name} "${text}" is neither a date like 2026-11-01 nor a time with its zone like 2026-11-01T06:00:00+07:00`,
    );
    return 0;
  };
  const fromMs = time('from', undefined);
  const toMs = time('to', nowMs);
  if (problems.length === 0 && fromMs >= toMs) problems.push('--from is not before --to');
  const out = input.text('out');
  if (out === undefined) problems.push('say --out FILE');
  else if (existsSync(out)) problems.push(`${out} is there already: choose another name`);
  else if (!existsSync(dirname(resolve(out)))) problems.push(`the folder ${dirname(resolve(out))} does not exist`);
  const format = input.text('format') ?? (out?.endsWith('.csv') === true ? 'csv' : 'parquet');
  if (format !== 'csv' && format !== 'parquet') problems.push(`--format "${format}" is neither parquet nor csv`);
  if (problems.length > 0 || out === undefined || (format !== 'csv' && format !== 'parquet'))
    throw new ConfigError('nhip export', problems);
  return { out: resolve(out), query: { fromMs, toMs, machine: input.text('machine'), metric: input.text('metric'), format } };
}

async function write(input: Input, query: ExportQuery, file: string): Promise<number> {
  if (input.text('url') === undefined) {
    const setup = serverSetup(input, process.env);
    if (!existsSync(setup.folder.server)) {
      throw new ConfigError('nhip export', [
        `there is no server in ${setup.folder.root}: name its data folder with --data, or a server with --url`,
      ]);
    }
    // Said before anything is asked of a server.
    embeddedStore(setup.config.store, setup.folder);
    if (await takeWhenStopped(setup.folder.server)) return writeHere(setup, query, file);
    return download(input, setup.folder.server, query, file);
  }
  return download(input, '', query, file);
}

async function writeHere({ config, folder }: ServerSetup, query: ExportQuery, file: string): Promise<number> {
  const embedded = embeddedStore(config.store, folder);
  if (!existsSync(embedded.file)) throw new PermanentError('export.noStore', `${embedded.file} does not exist: is it another data folder?`);
  const store = createDuckdbStore(embedded);
  await store.open();
  try {
    const made = await store.exportSamples(query);
    await copyFile(made.file, file);
    await syncPath(file);
    await made.dispose();
    return made.bytes;
  } finally {
    await store.close();
  }
}

function download(input: Input, serverDir: string, { fromMs, toMs, machine, metric, format }: ExportQuery, file: string): Promise<number> {
  const server = findServer(input, serverDir, process.env);
  if (server === undefined) {
    throw new RetryableError('cli.serverUnreachable', `A process of Nhịp uses ${serverDir} and is not ready: try again in a few seconds`);
  }
  const asked = new URLSearchParams({ from: String(fromMs), to: String(toMs), format });
  if (machine !== undefined) asked.set('machine', machine);
  if (metric !== undefined) asked.set('metric', metric);
  return server.download(`/api/v1/export?${asked}`, file);
}
