import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfigText } from '@nhip/core/process/config';
import { ConfigError } from '@nhip/core/process/errors';
import { silentLog } from '@nhip/core/process/log';
import { createNodeClock } from '@nhip/core/process/node-clock';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { waitFor } from '../testing/wait-for.ts';
import { createReloader } from './reloader.ts';
import { watchFile } from './watch-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nhip-reload-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function rig(first: string) {
  const file = join(folder, 'edge.yaml');
  writeFileSync(file, first);
  const log = silentLog();
  const errors = vi.spyOn(log, 'error');
  const applied: string[] = [];
  const reloader = createReloader(first, {
    log,
    read: () => readConfigText(file),
    apply: async (text) => {
      if (text.startsWith('bad')) throw new ConfigError(file, ['a: wrong', 'b: wrong']);
      applied.push(text);
    },
  });
  return { file, log, errors, applied, reloader };
}

describe('reloading', () => {
  it('applies a file whose text changed, and does nothing when it did not', async () => {
    const { file, applied, reloader } = rig('one');
    await reloader.lookAgain();
    writeFileSync(file, 'two');
    await Promise.all([reloader.lookAgain(), reloader.lookAgain()]);
    expect(applied).toEqual(['two']);
    await reloader.now();
    expect(applied).toEqual(['two', 'two']);
  });

  it('refuses a bad file with all its problems, once; a good one after it is applied', async () => {
    const { file, applied, errors, reloader } = rig('one');
    writeFileSync(file, 'bad');
    await reloader.lookAgain();
    await reloader.lookAgain();
    expect(errors.mock.calls).toEqual([[{ problems: ['a: wrong', 'b: wrong'] }, 'The new configuration is refused, the old one goes on']]);
    writeFileSync(file, 'one');
    await reloader.lookAgain();
    expect(applied).toEqual(['one']);
  });

  it('says nothing of a file that is being replaced, unless it was asked', async () => {
    const { file, errors, reloader } = rig('one');
    rmSync(file);
    await reloader.lookAgain();
    expect(errors).not.toHaveBeenCalled();
    await reloader.now();
    expect(errors).toHaveBeenCalledOnce();
  });
});

describe('watching the file', () => {
  it.each(['written', 'replaced'])('tells once when it was %s and settled', async (how) => {
    const { file, log } = rig('one');
    let touched = 0;
    const watcher = watchFile(file, { clock: createNodeClock(), log, touched: () => touched++ });
    try {
      if (how === 'written') for (const text of ['t', 'tw', 'two']) writeFileSync(file, text);
      else {
        writeFileSync(`${file}.new`, 'two');
        renameSync(`${file}.new`, file);
      }
      await waitFor('the change', () => touched > 0);
      expect(touched).toBe(1);
    } finally {
      watcher.close();
    }
  });

  it('says once that a folder cannot be watched', () => {
    const log = silentLog();
    const warn = vi.spyOn(log, 'warn');
    watchFile(join(folder, 'nowhere', 'edge.yaml'), { clock: createNodeClock(), log, touched: () => undefined }).close();
    expect(warn).toHaveBeenCalledOnce();
  });
});
