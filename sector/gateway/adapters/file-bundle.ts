import type { Disk } from '@nhip/core/process/env';
import { readSmallFile, replaceSmallFile } from '@nhip/core/process/small-file';
import type { Adapter, LateReceipt } from './adapter.ts';

/**
 * For plants without a line: signed files in a folder that somebody carries, receipts in a folder that somebody brings back.
 *
 *   outbox/<digest>.json   a report, byte for byte what was signed
 *   outbox/index.json      what is there: digest, series, revision, size
 *   inbox/*.json           receipts; those that were taken go to inbox/taken, others to inbox/not-ours
 *
 * Every file is written beside and renamed: a stick that is pulled out has the old file or the new one.
 */
export function createFileBundle(disk: Disk): Adapter {
  let index: Map<string, IndexEntry> | undefined;
  let isClosed = false;

  async function loadIndex(): Promise<Map<string, IndexEntry>> {
    if (index !== undefined) return index;
    const entries = await readIndex(disk);
    index = new Map(entries.map((entry) => [entry.digest, entry]));
    return index;
  }
  const writeIndex = async (entries: ReadonlyMap<string, IndexEntry>): Promise<void> => {
    const text = JSON.stringify({ format: 'nhip-bundle/1', reports: [...entries.values()] }, null, 2);
    await replaceSmallFile(disk, 'outbox', 'index.json', Buffer.from(`${text}\n`, 'utf8'));
  };

  return {
    kind: 'file-bundle',
    async send({ seriesKey, revision, digest, bytes }, signal) {
      signal.throwIfAborted();
      if (isClosed) throw new Error('the bundle is closed');
      const file = `${digest.slice('sha-256:'.length)}.json`;
      await replaceSmallFile(disk, 'outbox', file, bytes);
      const entries = await loadIndex();
      entries.set(digest, { file, digest, seriesKey, revision, bytes: bytes.length });
      await writeIndex(entries);
      return { kind: 'handed-over' };
    },
    async receipts(signal) {
      signal.throwIfAborted();
      await disk.makeDir('inbox');
      const names = (await disk.readDir('inbox')).filter((name) => name.endsWith('.json')).slice(0, maxReceipts);
      const found: LateReceipt[] = [];
      for (const name of names) {
        const bytes = await readBounded(disk, name);
        found.push({ bytes: bytes ?? new Uint8Array(), taken: (isOurs) => takeAway(name, isOurs, bytes) });
      }
      return found;
    },
    async close() {
      isClosed = true;
    },
  };

  async function takeAway(name: string, isOurs: boolean, bytes: Uint8Array | undefined): Promise<void> {
    const folder = isOurs ? 'inbox/taken' : 'inbox/not-ours';
    await disk.makeDir(folder);
    await disk.rename(`inbox/${name}`, `${folder}/${name}`);
    await disk.syncDir(folder);
    await disk.syncDir('inbox');
    if (!isOurs || bytes === undefined) return;
    const digest = digestIn(bytes);
    const entries = await loadIndex();
    const entry = digest === undefined ? undefined : entries.get(digest);
    if (entry === undefined || digest === undefined) return;
    entries.delete(digest);
    await writeIndex(entries);
    if ((await disk.readDir('outbox')).includes(entry.file)) await disk.unlink(`outbox/${entry.file}`);
  }
}

interface IndexEntry {
  readonly file: string;
  readonly digest: string;
  readonly seriesKey: string;
  readonly revision: number;
  readonly bytes: number;
}

const maxReceipts = 1000;
const maxReceiptBytes = 262_144;

async function readBounded(disk: Disk, name: string): Promise<Uint8Array | undefined> {
  const file = await disk.open(`inbox/${name}`, 'read');
  try {
    const size = await file.size();
    if (size > maxReceiptBytes) return undefined;
    const bytes = new Uint8Array(size);
    return bytes.subarray(0, await file.read(bytes, 0));
  } finally {
    await file.close();
  }
}

async function readIndex(disk: Disk): Promise<readonly IndexEntry[]> {
  try {
    const bytes = await readSmallFile(disk, 'outbox', 'index.json');
    const json = bytes === undefined ? {} : (JSON.parse(Buffer.from(bytes).toString('utf8')) as { reports?: unknown });
    return Array.isArray(json.reports) ? (json.reports as IndexEntry[]) : [];
  } catch {
    // People edit files on a stick. The reports stand beside it; the index is made anew.
    return [];
  }
}

function digestIn(receipt: Uint8Array): string | undefined {
  const { digest } = JSON.parse(Buffer.from(receipt).toString('utf8')) as { digest?: unknown };
  return typeof digest === 'string' ? digest : undefined;
}
