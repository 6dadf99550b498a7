import { PermanentError } from '@nhip/core/process/errors';
import { lockFolder } from '@nhip/core/process/node-folder-lock';

/** Whether no process of Nhịp uses the folder; then this one holds its lock until it ends. */
export async function takeWhenStopped(serverDir: string): Promise<boolean> {
  try {
    await lockFolder(serverDir);
    return true;
  } catch (error) {
    if (error instanceof PermanentError && error.code === 'process.folderInUse') return false;
    throw error;
  }
}
