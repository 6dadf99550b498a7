import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createNodeDisk } from '@nhip/core/process/node-disk';
import { gatewayConfig } from '@nhip/sector/gateway/config';
import { configuredFiles } from '@nhip/sector/gateway/gateway-files';
import { type Outbox, openOutbox } from '@nhip/sector/gateway/outbox/outbox';
import { itemOf } from '@nhip/sector/gateway/testing/item';
import { testConfig } from '@nhip/sector/gateway/testing/test-gateway';
import { createDuckdbStore } from '@nhip/stores/duckdb/duckdb-store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { placeBackup } from './place-backup.ts';
import { planRestore, putInPlace, stageBackup } from './restore-backup.ts';
import { describeSharing } from './sharing-backup.ts';
import { writeBackup } from './write-backup.ts';

let root: string;
let outbox: Outbox;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'nhip-sharing-backup-'));
  mkdirSync(join(root, 'old/server'), { recursive: true });
  mkdirSync(join(root, 'old/etc'));
  mkdirSync(join(root, 'new/server'), { recursive: true });
  writeFileSync(join(root, 'old/etc/signing-key.pem'), 'the key', { mode: 0o600 });
  writeFileSync(join(root, 'old/etc/sector.secret'), 'the secret', { mode: 0o600 });
  outbox = await openOutbox({ disk: createNodeDisk(join(root, 'old/sharing')) }, 'outbox');
  await send('r1');
});
afterEach(async () => {
  await outbox.close();
  rmSync(root, { recursive: true });
});

async function send(id: string): Promise<void> {
  await outbox.files.write('bytes', id, Buffer.from(`bytes of ${id}`));
  await outbox.change(() => ({ items: [itemOf({ id, order: outbox.nextOrder() })] }));
}

const config = gatewayConfig.parse({
  ...testConfig,
  recipients: { nganh: { platformKeyFile: 'sector.pub', secretFile: 'sector.secret' } },
});
const placesOf = (name: 'old' | 'new') => ({
  dir: join(root, name, 'sharing'),
  files: configuredFiles(config, join(root, name, 'etc')),
});

/** Of the plant `old`, whose outbox is open. */
async function backup(target: string): Promise<void> {
  const storeFile = join(root, 'old/server/history.duckdb');
  const store = createDuckdbStore({ type: 'duckdb', file: storeFile, memoryLimitMb: 128, threads: 1 });
  await store.open();
  try {
    const sources = { store, storeFile, serverDir: join(root, 'old/server'), sharing: placesOf('old'), configFiles: [] };
    const made = join(root, 'made');
    await writeBackup(made, { ...sources, logId: 'log', nhipVersion: '1' }, { nowMs: 0, progress: () => {} });
    await placeBackup(made, target);
  } finally {
    await store.close();
  }
}

async function restore(from: string, wishes: { readonly sharing: boolean }, places = placesOf('new')): Promise<string | undefined> {
  const folder = join(root, 'new');
  const staged = await stageBackup(from, folder);
  const target = { root: folder, serverDir: join(folder, 'server'), storeFile: join(folder, 'server/history.duckdb'), sharing: places };
  const steps = planRestore(staged.manifest, target, { accounts: false, ...wishes }, 'now');
  await putInPlace(staged.folder, staged.manifest, target, steps, undefined);
  return describeSharing(staged.manifest, places, steps);
}

async function reportsOf(name: 'old' | 'new'): Promise<readonly (readonly [string, string])[]> {
  const copy = await openOutbox({ disk: createNodeDisk(join(root, name, 'sharing')) }, 'outbox');
  const list = copy.items().map(async ({ id }) => [id, Buffer.from((await copy.files.read('bytes', id)) ?? []).toString()] as const);
  return Promise.all(list).finally(() => copy.close());
}

const text = (path: string): string => readFileSync(join(root, path), 'utf8');

describe('a backup of what was shared', () => {
  it.each(['backup', 'backup.tar'])('as %s has reports, keys and secrets, private, and brings them onto another computer', async (kind) => {
    await backup(join(root, kind));
    await send('r2');
    if (kind === 'backup') expect(statSync(join(root, 'backup/sharing/files/signing-key.pem')).mode & 0o777).toBe(0o600);
    else expect(statSync(join(root, kind)).mode & 0o777).toBe(0o600);
    expect(await restore(join(root, kind), { sharing: false })).toContain('nothing leaves until a new version');
    for (const path of ['new/etc/signing-key.pem', 'new/etc/sector.secret', 'new/sharing/outbox/restored.json']) {
      expect(statSync(join(root, path)).mode & 0o777).toBe(0o600);
    }
    expect([text('new/etc/signing-key.pem'), text('new/etc/sector.secret')]).toEqual(['the key', 'the secret']);
    expect(await reportsOf('new')).toEqual([['r1', 'bytes of r1']]);
  });

  it('leaves what is here, which is newer, unless it is told to take that of the backup; then nothing is deleted', async () => {
    await backup(join(root, 'backup'));
    mkdirSync(join(root, 'new/etc'));
    writeFileSync(join(root, 'new/etc/signing-key.pem'), 'another key', { mode: 0o600 });
    const here = await openOutbox({ disk: createNodeDisk(join(root, 'new/sharing')) }, 'outbox');
    await here.close();
    expect(await restore(join(root, 'backup'), { sharing: false })).toContain('is newer here and stays');
    expect([text('new/etc/signing-key.pem'), text('new/etc/sector.secret')]).toEqual(['another key', 'the secret']);
    expect(await reportsOf('new')).toEqual([]);
    expect(existsSync(join(root, 'new/sharing/outbox/restored.json'))).toBe(false);

    await restore(join(root, 'backup'), { sharing: true });
    expect([text('new/etc/signing-key.pem'), text('new/etc/signing-key.pem.before-restore-now')]).toEqual(['the key', 'another key']);
    expect(await reportsOf('new')).toEqual([['r1', 'bytes of r1']]);
    expect(existsSync(join(root, 'new/sharing/outbox.before-restore-now'))).toBe(true);
  });

  it('puts keys aside, privately, where the configuration does not share', async () => {
    await backup(join(root, 'backup'));
    await restore(join(root, 'backup'), { sharing: false }, { dir: join(root, 'new/sharing'), files: [] });
    expect(text('new/sharing-files-of-backup-now/signing-key.pem')).toBe('the key');
    expect(statSync(join(root, 'new/sharing-files-of-backup-now')).mode & 0o777).toBe(0o700);
  });

  it('never has the keys behind the pseudonyms of machines', async () => {
    mkdirSync(join(root, 'old/sharing/keys'));
    writeFileSync(join(root, 'old/sharing/keys/status-2026-03.key'), 'of a month', { mode: 0o600 });
    await backup(join(root, 'backup.tar'));
    expect(readFileSync(join(root, 'backup.tar')).includes('of a month')).toBe(false);
  });
});
