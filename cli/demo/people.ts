import { createPasswords } from '@nhip/live/auth/password';
import { addUser, readUsers } from '@nhip/live/auth/user-file';
import type { DataFolder } from '../folders.ts';
import type { Login } from './approvals.ts';
import { demoApprovers } from './sector-files.ts';

/** The second person who must agree to what leaves; undefined when she is there already. The server must have made its users. */
export async function addSecondApprover(folder: DataFolder): Promise<Login | undefined> {
  const [, username] = demoApprovers;
  const known = await readUsers(folder.server);
  if (known?.some(({ name }) => name === username) !== false) return undefined;
  return { username, password: await addUser(folder.server, { name: username, role: 'admin' }, createPasswords()) };
}
