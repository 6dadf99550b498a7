import { createHash, timingSafeEqual } from 'node:crypto';
import { ConfigError } from '@nhip/core/process/errors';
import type { Log } from '@nhip/core/process/log';
import { versionOf } from './file-version.ts';
import { minPasswordLength, type Passwords, randomPassword } from './password.ts';
import { readUsers, type UserEntry, type UserRole, usersPath, writeUsers } from './user-file.ts';

export interface User {
  readonly name: string;
  readonly role: UserRole;
}

/** The local users of this installation, in `users.json` of the data folder. */
export interface Users {
  /** The user when the password is right. Takes as long for a name that does not exist. May reject with `live.busy`. */
  check(name: string, password: string): Promise<User | undefined>;
  /** Whether a user whom `check` gave is still there, with the same password and role. */
  isCurrent(user: User, nowMs: number): Promise<boolean>;
  /**
   * What changes with the name, the role or the password of a user: how a session knows the user again after a restart. undefined when
   * one of them has changed since `check` or `known` gave this user.
   */
  markOf(user: User): string | undefined;
  /** The user of this name, when the mark is still the same. */
  known(name: string, mark: string): User | undefined;
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

const recheckMs = 1000;

/**
 * Opens the users; on the first start makes `admin` with `adminPassword`, or with a random password. What another process changes is
 * known within a second. Throws ConfigError when the given password is too short or the file cannot be trusted; one that cannot be read
 * later is logged once and changes nothing.
 */
export async function openUsers(
  dataDir: string,
  passwords: Passwords,
  { adminPassword, log }: { readonly adminPassword: string | undefined; readonly log: Log },
): Promise<OpenedUsers> {
  const path = usersPath(dataDir);
  let version = await versionOf(path);
  let checkedMs = Number.NEGATIVE_INFINITY;
  const stored = await readUsers(dataDir);
  const first = stored === undefined ? await firstUser(passwords, adminPassword) : undefined;
  let byName = index(first === undefined ? (stored ?? []) : [first.entry], new Map());

  async function refresh(): Promise<void> {
    const latest = await versionOf(path);
    if (latest === version || latest === '') return;
    version = latest;
    try {
      byName = index((await readUsers(dataDir)) ?? [], byName);
    } catch (err) {
      log.error({ err }, 'Local users stay as they were');
    }
  }

  async function refreshSometimes(nowMs: number): Promise<void> {
    if (Math.abs(nowMs - checkedMs) < recheckMs) return;
    checkedMs = nowMs;
    await refresh();
  }

  return {
    users: {
      async check(name, password) {
        await refresh();
        const known = byName.get(name.normalize('NFC'));
        const isRight = await passwords.matches(password, known?.entry.password);
        return isRight ? known?.user : undefined;
      },
      async isCurrent(user, nowMs) {
        await refreshSometimes(nowMs);
        return byName.get(user.name)?.user === user;
      },
      markOf(user) {
        const found = byName.get(user.name);
        return found?.user === user ? markOf(found.entry) : undefined;
      },
      known(name, mark) {
        const found = byName.get(name);
        return found !== undefined && isSameHash(markOf(found.entry), mark) ? found.user : undefined;
      },
    },
    firstPassword: first?.shown,
    async keep() {
      if (first !== undefined) await writeUsers(dataDir, [first.entry]);
    },
  };
}

interface Known {
  readonly entry: UserEntry;
  /** The same object as long as nothing changes. */
  readonly user: User;
}

function index(entries: readonly UserEntry[], before: ReadonlyMap<string, Known>): ReadonlyMap<string, Known> {
  return new Map(
    entries.map((entry) => {
      const known = before.get(entry.name);
      const isSame = known !== undefined && known.entry.role === entry.role && known.entry.password.hash === entry.password.hash;
      return [entry.name, isSame ? known : { entry, user: { name: entry.name, role: entry.role } }];
    }),
  );
}

function markOf({ name, role, password }: UserEntry): string {
  return createHash('sha256')
    .update(JSON.stringify([name, role, password.hash]))
    .digest('base64');
}

function isSameHash(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

async function firstUser(
  passwords: Passwords,
  given: string | undefined,
): Promise<{ readonly entry: UserEntry; readonly shown: string | undefined }> {
  if (given !== undefined && given.length < minPasswordLength) {
    throw new ConfigError('NHIP_ADMIN_PASSWORD', [`it has ${given.length} characters: use at least ${minPasswordLength}`]);
  }
  const chosen = given ?? randomPassword();
  const entry: UserEntry = { name: 'admin', role: 'admin', password: await passwords.hash(chosen) };
  return { entry, shown: given === undefined ? chosen : undefined };
}
