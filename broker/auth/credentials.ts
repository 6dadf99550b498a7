import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { PermanentError, reasonOf } from '@nhip/core/process/errors';
import { isId } from '@nhip/core/wire/topic';

/**
 * MQTT credentials in a file of their own: one per publisher, 256-bit random, kept only as SHA-256.
 * (A slow hash is for passwords that people choose; here it would only make a reconnect storm expensive.)
 * The file is read again when it changed, so `device add` and `device remove` work while the broker runs.
 */
export interface Credential {
  /** `<group>/<edge>`: the only topics that it may publish. */
  readonly username: string;
  readonly sha256: string;
  readonly createdMs: number;
}

export interface CredentialFile {
  /** The identity behind a user name and password, or undefined. Constant time in the password. */
  verify(username: string, password: Uint8Array): Credential | undefined;
  /** Makes a credential and returns its password: the only time it can be seen. Replaces one of the same name. */
  add(username: string, nowMs: number): { readonly username: string; readonly password: string };
  list(): readonly Credential[];
  /** By user name, as the file is now. */
  current(): ReadonlyMap<string, Credential>;
  /** Returns whether there was one. */
  remove(username: string): boolean;
}

/**
 * `add`, `list` and `remove` throw PermanentError `device.credentials` when the file cannot be read: it is never replaced
 * by one that knows less. `verify` and `current` go on with what was read last and tell `unreadable` once per version of the file.
 */
export function openCredentials(file: string, unreadable: (error: Error) => void = () => {}): CredentialFile {
  let known = new Map<string, Credential>();
  let version = '';
  let refused = '';

  function refresh(): void {
    const now = fileVersion(file);
    if (now === version) return;
    known = now === '' ? new Map() : read(file);
    version = now;
  }

  function refreshIfReadable(): void {
    try {
      refresh();
      refused = '';
    } catch (error) {
      const now = fileVersion(file);
      if (now !== refused && error instanceof Error) unreadable(error);
      refused = now;
    }
  }

  function save(): void {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const temporary = `${file}.${process.pid}.tmp`;
    writeFileSync(temporary, `${JSON.stringify([...known.values()], null, 2)}\n`, { mode: 0o600, flush: true });
    renameSync(temporary, file);
    version = fileVersion(file);
  }

  return {
    verify(username, password) {
      refreshIfReadable();
      const credential = known.get(username);
      const given = createHash('sha256').update(password).digest();
      const expected = Buffer.from(credential?.sha256 ?? '0'.repeat(64), 'hex');
      return timingSafeEqual(given, expected) ? credential : undefined;
    },
    add(username, nowMs) {
      const [group = '', edge = '', ...rest] = username.split('/');
      if (!isId(group) || !isId(edge) || rest.length > 0) {
        throw new PermanentError('device.name', `"${username}" is not <group>/<edge> (letters, digits, _ . -, at most 64 each)`);
      }
      refresh();
      const password = randomBytes(32).toString('base64url');
      known.set(username, { username, sha256: createHash('sha256').update(password).digest('hex'), createdMs: nowMs });
      save();
      return { username, password };
    },
    list() {
      refresh();
      return [...known.values()];
    },
    current() {
      refreshIfReadable();
      return known;
    },
    remove(username) {
      refresh();
      const existed = known.delete(username);
      if (existed) save();
      return existed;
    },
  };
}

/** Empty when there is no file. Where it cannot be looked at, the reason: reading it then says more. */
function fileVersion(file: string): string {
  try {
    const stat = statSync(file, { throwIfNoEntry: false });
    return stat === undefined ? '' : `${stat.ino}:${stat.mtimeMs}:${stat.size}`;
  } catch (error) {
    return reasonOf(error);
  }
}

function read(file: string): Map<string, Credential> {
  try {
    const list = JSON.parse(readFileSync(file, 'utf8')) as Credential[];
    return new Map(list.map((credential) => [credential.username, credential]));
  } catch (error) {
    const reason = reasonOf(error);
    throw new PermanentError('device.credentials', `${file} cannot be read: ${reason}. Restore it, or let the user of the server read it.`);
  }
}
