import { join } from 'node:path';
import { ConfigError } from '@nhip/core/process/errors';
import { z } from 'zod';
import { minPasswordLength, type Passwords, passwordHash, randomPassword } from './password.ts';
import { readSecretFile, writeSecretFile } from './secret-file.ts';

const usersFile = z.strictObject({
  version: z.literal(1).describe('Format of this file'),
  users: z
    .array(
      z.strictObject({
        name: z.string().describe('Login name'),
        role: z.enum(['admin']).describe('What the user may do'),
        password: passwordHash.describe('Hash of the password'),
      }),
    )
    .describe('Local users'),
});

export interface User {
  readonly name: string;
  readonly role: 'admin';
}

/** The local users of this installation, in `users.json` of the data folder. */
export interface Users {
  /** The user when the password is right. Takes as long for a name that does not exist. May reject with `live.busy`. */
  check(name: string, password: string): Promise<User | undefined>;
}

export interface OpenedUsers {
  readonly users: Users;
  /** Set on the first start only, when no password was given: show it once, it is stored nowhere. */
  readonly firstPassword: string | undefined;
  /**
   * Stores what the first start made. Until then nothing is on disk, so that a start that fails later does not leave a
   * password behind which nobody has seen.
   */
  keep(): Promise<void>;
}

/**
 * Opens the users; on the first start makes `admin` with `adminPassword`, or with a random password.
 * Throws ConfigError when the given password is too short or the file cannot be trusted.
 */
export async function openUsers(dataDir: string, passwords: Passwords, adminPassword: string | undefined): Promise<OpenedUsers> {
  const path = join(dataDir, 'users.json');
  let content = await readSecretFile(path, usersFile);
  const isNew = content === undefined;
  let firstPassword: string | undefined;
  if (content === undefined) {
    if (adminPassword !== undefined && adminPassword.length < minPasswordLength) {
      throw new ConfigError('NHIP_ADMIN_PASSWORD', [`it has ${adminPassword.length} characters: use at least ${minPasswordLength}`]);
    }
    const chosen = adminPassword ?? randomPassword();
    if (adminPassword === undefined) firstPassword = chosen;
    const password = await passwords.hash(chosen);
    content = { version: 1, users: [{ name: 'admin', role: 'admin', password }] };
  }
  const stored = content;
  const byName = new Map(stored.users.map((user) => [user.name, user]));
  const users: Users = {
    async check(name, password) {
      const user = byName.get(name);
      const isRight = await passwords.matches(password, user?.password);
      return isRight && user !== undefined ? { name: user.name, role: user.role } : undefined;
    },
  };
  return {
    users,
    firstPassword,
    async keep() {
      if (isNew) await writeSecretFile(path, stored);
    },
  };
}
