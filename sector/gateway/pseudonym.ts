import { createHmac } from 'node:crypto';
import type { Env } from '@nhip/core/process/env';
import { readSmallFile, replaceSmallFile } from '@nhip/core/process/small-file';
import { localDate } from '../contract/period.ts';

/**
 * Names of machines for outside: `m_` and 128 bits of an HMAC-SHA-256 whose key stays here and changes every month. The key of a past
 * month is destroyed: then nobody, not even this factory, can tell which machine it was, and two months cannot be joined.
 */
export interface Pseudonyms {
  of(machine: string): Promise<string>;
}

export function createPseudonyms({ clock, random, disk }: Env, folder: string): Pseudonyms {
  let current: { readonly month: string; readonly key: Uint8Array } | undefined;

  async function keyOf(month: string): Promise<Uint8Array> {
    if (current?.month === month) return current.key;
    const name = `status-${month}.key`;
    await disk.makeDir(folder);
    const found = await readSmallFile(disk, folder, name);
    const key = found?.length === 32 ? found : random.bytes(32);
    if (found?.length !== 32) await replaceSmallFile(disk, folder, name, key);
    for (const other of await disk.readDir(folder)) {
      if (other.startsWith('status-') && other !== name) await disk.unlink(`${folder}/${other}`);
    }
    await disk.syncDir(folder);
    current = { month, key };
    return key;
  }

  return {
    async of(machine) {
      const key = await keyOf(localDate(clock.now()).slice(0, 7));
      return `m_${createHmac('sha256', key).update(machine.normalize('NFC')).digest().subarray(0, 16).toString('base64url')}`;
    },
  };
}
