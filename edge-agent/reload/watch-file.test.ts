import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '@nhip/core/process/log';
import { createNodeClock } from '@nhip/core/process/node-clock';
import { afterEach, beforeEach, it } from 'vitest';
import { waitFor } from '../testing/wait-for.ts';
import { watchFile } from './watch-file.ts';

let folder: string;
let touches: number;
let watcher: { close(): void } | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nhip-watch-'));
  touches = 0;
});
afterEach(() => {
  watcher?.close();
  rmSync(folder, { recursive: true });
});

const start = (file: string): void => {
  watcher = watchFile(file, { clock: createNodeClock(), log: silentLog(), touched: () => touches++ });
};

it('a file that is replaced is noticed', async () => {
  const file = join(folder, 'edge.yaml');
  writeFileSync(file, 'a');
  start(file);
  writeFileSync(`${file}.new`, 'b');
  renameSync(`${file}.new`, file);
  await waitFor('the change', () => touches > 0);
});

it('so is a file that a symbolic link in another folder leads to', async () => {
  for (const name of ['etc', 'site']) mkdirSync(join(folder, name));
  const [link, file] = [join(folder, 'etc/edge.yaml'), join(folder, 'site/edge.yaml')];
  writeFileSync(file, 'a');
  symlinkSync(file, link);
  start(link);
  writeFileSync(file, 'b');
  await waitFor('the change', () => touches > 0);
});
