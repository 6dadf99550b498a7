import { join } from 'node:path';
import { PermanentError } from '@nhip/core/process/errors';
import { z } from 'zod';
import { type Passwords, passwordHash, randomPassword } from './password.ts';
import { readSecretFile, writeSecretFile } from './secret-file.ts';

const maxUsers = 200;
const namePattern = /^[\p{L}\p{N}][\p{L}\p{N}._@-]{0,63}$/u;

/** What a person may do; each includes those before it. The words are those of scopes. */
export const userRoles = ['read', 'operate', 'admin'] as const;
export type UserRole = (typeof userRoles)[number];

const usersFile = z.strictObject({
  version: z.literal(1).describe('Format of this file'),
  users: z
    .array(
      z.strictObject({
        name: z.string().describe('Login name'),
        role: z.enum(userRoles).describe('What the user may do'),
        password: passwordHash.describe('Hash of the password'),
      }),
    )
    .max(maxUsers)
    .describe('Local users'),
});
export type UserEntry = z.infer<typeof usersFile>['users'][number];

export function usersPath(dataDir: string): string {
  return join(dataDir, 'users.json');
}

/** The stored users; undefined before the first start. Throws ConfigError for a file that cannot be trusted. */
export async function readUsers(dataDir: string): Promise<readonly UserEntry[] | undefined> {
  return (await readSecretFile(usersPath(dataDir), usersFile))?.users;
}

export function writeUsers(dataDir: string, users: readonly UserEntry[]): Promise<void> {
  return writeSecretFile(usersPath(dataDir), { version: 1, users });
}

/**
 * Adds a user with a random password, which is returned once and cannot be read again. A running server knows within a second. Throws
 * PermanentError `user.noServer`, `user.name`, `user.exists` or `user.tooMany`, and ConfigError for a file that cannot be trusted.
 */
export async function addUser(
  dataDir: string,
  { name, role }: { readonly name: string; readonly role: UserRole },
  passwords: Passwords,
): Promise<string> {
  const known = await demandUsers(dataDir);
  if (!namePattern.test(name.normalize('NFC'))) {
    throw new PermanentError('user.name', `"${name}" is no login name: letters, digits, . _ @ -, at most 64, e.g. lan.nguyen`);
  }
  if (find(known, name) !== undefined) {
    throw new PermanentError('user.exists', `There is a user ${name} already: choose another name, or nhip user password ${name}`);
  }
  if (known.length >= maxUsers) throw new PermanentError('user.tooMany', `There are ${maxUsers} users already: remove some first`);
  const secret = randomPassword();
  await writeUsers(dataDir, [...known, { name: name.normalize('NFC'), role, password: await passwords.hash(secret) }]);
  return secret;
}

/** Gives a user a new random password; the sessions with the old one end. Throws PermanentError `user.unknown` or `user.noServer`. */
export async function renewPassword(dataDir: string, name: string, passwords: Passwords): Promise<string> {
  const known = await demandUsers(dataDir);
  const entry = demandUser(known, name);
  const secret = randomPassword();
  const password = await passwords.hash(secret);
  await writeUsers(
    dataDir,
    known.map((each) => (each === entry ? { ...each, password } : each)),
  );
  return secret;
}

/** Throws PermanentError `user.unknown`, `user.noServer`, or `user.lastAdmin`: nobody could manage anything afterwards. */
export async function removeUser(dataDir: string, name: string): Promise<void> {
  const known = await demandUsers(dataDir);
  const entry = demandUser(known, name);
  const rest = known.filter((each) => each !== entry);
  if (!rest.some(({ role }) => role === 'admin')) {
    throw new PermanentError('user.lastAdmin', `${name} is the last admin: add another first (nhip user add NAME --role admin)`);
  }
  await writeUsers(dataDir, rest);
}

async function demandUsers(dataDir: string): Promise<readonly UserEntry[]> {
  const known = await readUsers(dataDir);
  if (known !== undefined) return known;
  throw new PermanentError('user.noServer', `${dataDir} has no users yet: start the server once, it makes admin`);
}

function demandUser(known: readonly UserEntry[], name: string): UserEntry {
  const entry = find(known, name);
  if (entry === undefined) throw new PermanentError('user.unknown', `There is no user ${name}: nhip user list`);
  return entry;
}

function find(known: readonly UserEntry[], name: string): UserEntry | undefined {
  const wanted = name.normalize('NFC');
  return known.find((each) => each.name === wanted);
}
