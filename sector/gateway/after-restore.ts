import type { Disk } from '@nhip/core/process/env';
import { readSmallFile } from '@nhip/core/process/small-file';
import type { Outbox } from './outbox/outbox.ts';
import type { PolicyStore } from './policy-store.ts';

/** A restore leaves this file in the folder of the outbox that it puts back. */
export const restoredMark = 'restored.json';
const key = 'restored';

/**
 * Keeps everything here after an outbox was put back from a backup. What people decided since is not in it: a consent taken back must not
 * come to life by itself. It ends when a version of the policy is approved after the restore, by the people whom the one before names.
 * Nothing is lost meanwhile: reports are made and wait.
 */
export interface AfterRestore {
  isPaused(): boolean;
}

export async function openAfterRestore(
  disk: Disk,
  folder: string,
  outbox: Pick<Outbox, 'journal' | 'change'>,
  policies: Pick<PolicyStore, 'versions'>,
): Promise<AfterRestore> {
  const approved = (): number => policies.versions().filter(({ approvedAtMs }) => approvedAtMs !== undefined).length;
  if ((await readSmallFile(disk, folder, restoredMark)) !== undefined) {
    // By how many were approved, not by when: the clock of another computer may be behind.
    await outbox.change(() => ({ entries: [[key, approved()]] }));
    await disk.unlink(`${folder}/${restoredMark}`);
    await disk.syncDir(folder);
  }
  return {
    isPaused() {
      const before = outbox.journal.get(key);
      return before !== undefined && before === approved();
    },
  };
}

export const restoredWords = {
  vi: 'Dữ liệu chia sẻ vừa được khôi phục từ bản sao lưu: tạm thời không gửi gì. Những gì đã quyết định sau bản sao đó (rút đồng ý, chính sách mới, giữ lại) không có ở đây. Hãy đề xuất và duyệt một phiên bản chính sách có số cao hơn mọi phiên bản từng dùng',
  en: 'What is shared was put back from a backup: nothing leaves for now. What people decided since that backup (consent taken back, new policies, holds) is not here. Propose and approve a version of the policy with a higher number than any that was ever used',
} as const;
