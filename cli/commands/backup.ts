import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { ConfigError, PermanentError, RetryableError } from '@nhip/core/process/errors';
import { createNodeClock } from '@nhip/core/process/node-clock';
import { backupState } from '@nhip/live/http/routes/backup';
import { createDuckdbStore } from '@nhip/stores/duckdb/duckdb-store';
import { z } from 'zod';
import manifest from '../../package.json' with { type: 'json' };
import { type Command, commonFlags, type Input } from '../arguments.ts';
import { readLogPlace } from '../backup/log-place.ts';
import { placeBackup } from '../backup/place-backup.ts';
import { sharingPlaces } from '../backup/sharing-backup.ts';
import { type BackupRun, writeBackup } from '../backup/write-backup.ts';
import { embeddedStore } from '../history.ts';
import { findServer, type ServerClient, serverFlags } from '../server-client.ts';
import { type ServerSetup, serverSetup } from '../server-config.ts';
import { takeWhenStopped } from '../server-lock.ts';

const pollMs = 250;

export const backup: Command = {
  name: 'backup',
  usage: 'FOLDER | FILE.tar',
  summary:
    'Copies everything the server needs: history, users, tokens, MQTT credentials, dead letters, configuration, what was shared with sector platforms and the key that signs it. Works while the server runs (the board goes on) and while it is stopped, on the computer of the data folder.',
  flags: { config: commonFlags.config, data: commonFlags.data, ...serverFlags, json: { summary: 'One line of JSON when done' } },
  async run(input) {
    const [wanted, ...rest] = input.positionals;
    if (wanted === undefined || rest.length > 0) throw new ConfigError('nhip backup', ['say one FOLDER or FILE.tar that is not there yet']);
    const target = resolve(wanted);
    if (existsSync(target)) throw new ConfigError('nhip backup', [`${target} is there already: choose another name`]);
    if (!existsSync(dirname(target))) throw new ConfigError('nhip backup', [`the folder ${dirname(target)} does not exist`]);
    const setup = serverSetup(input, process.env);
    if (!existsSync(setup.folder.server)) {
      throw new ConfigError('nhip backup', [`there is no server in ${setup.folder.root}: name its data folder with --data`]);
    }
    // Said before anything is asked of a server.
    embeddedStore(setup.config.store, setup.folder);
    const isJson = input.isSet('json');
    const progress = isJson || !process.stderr.isTTY ? () => {} : showProgress;
    const made = (await takeWhenStopped(setup.folder.server))
      ? await makeHere(setup, progress)
      : await askServer(requireServer(input, setup.folder.server), progress);
    const bytes = await placeBackup(made, target);
    const text = `${target}: ${(bytes / 1_000_000).toFixed(1)} MB. Keep it private: it holds the hashes of all passwords and, where reports are shared, the key that signs them.`;
    process.stdout.write(isJson ? `${JSON.stringify({ backup: target, bytes })}\n` : `${text}\n`);
    return 0;
  },
};

function requireServer(input: Input, serverDir: string): ServerClient {
  const server = findServer(input, serverDir, process.env);
  if (server !== undefined) return server;
  throw new RetryableError('cli.serverUnreachable', `A process of Nhịp uses ${serverDir} and is not ready: try again in a few seconds`);
}

/** With the server stopped: the same copy, made by this process beside the target folder of running servers. */
async function makeHere(setup: ServerSetup, progress: BackupRun['progress']): Promise<string> {
  const { config, folder, files } = setup;
  const embedded = embeddedStore(config.store, folder);
  const { file: storeFile } = embedded;
  if (!existsSync(storeFile)) throw new PermanentError('backup.noStore', `${storeFile} does not exist: is it another data folder?`);
  const store = createDuckdbStore(embedded);
  await store.open();
  try {
    const place = await readLogPlace(folder.server);
    const sources = {
      store,
      storeFile,
      serverDir: folder.server,
      configFiles: files,
      sharing: sharingPlaces(setup),
      logId: place?.id ?? '',
      nhipVersion: manifest.version,
    };
    await mkdir(folder.backups, { recursive: true, mode: 0o700 });
    const nowMs = createNodeClock().now();
    const made = join(folder.backups, `stopped-${nowMs}`);
    await writeBackup(made, sources, { nowMs, progress });
    return made;
  } finally {
    await store.close();
  }
}

async function askServer(server: ServerClient, progress: BackupRun['progress']): Promise<string> {
  const { id } = await server.post('/api/v1/backups', {}, backupState);
  for (;;) {
    const { backups } = await server.get('/api/v1/backups', z.object({ backups: z.array(backupState) }));
    const state = backups.find((each) => each.id === id);
    if (state === undefined)
      throw new RetryableError('backup.gone', `${server.url} knows no backup ${id} any more: was the server restarted?`);
    progress(state.doneBytes, state.totalBytes);
    if (state.state === 'failed') throw new RetryableError('backup.failed', state.problem ?? 'The server could not write the backup');
    if (state.state === 'done') {
      if (existsSync(state.folder)) return state.folder;
      throw new PermanentError(
        'backup.elsewhere',
        `The backup is in ${state.folder} on the computer of ${server.url}: fetch it from there`,
      );
    }
    await createNodeClock().sleep(pollMs);
  }
}

function showProgress(doneBytes: number, totalBytes: number): void {
  const percent = totalBytes === 0 ? 0 : Math.floor((100 * doneBytes) / totalBytes);
  process.stderr.write(`\rBackup ${String(percent).padStart(3)} %${percent >= 100 ? '\n' : ''}`);
}
