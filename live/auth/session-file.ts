import { join } from 'node:path';
import type { Log } from '@nhip/core/process/log';
import { z } from 'zod';
import { createLateWriter } from './late-writer.ts';
import { readSecretFile } from './secret-file.ts';
import { type KeptSession, maxSessions } from './sessions.ts';
import type { Users } from './users.ts';

const sessionsFile = z.strictObject({
  version: z.literal(1).describe('Format of this file'),
  sessions: z
    .array(
      z.strictObject({
        sha256: z.string().describe('Hash of the secret in the cookie, base64'),
        user: z.string().describe('Login name'),
        mark: z.string().describe('What changes with the password and the role of the user'),
        startedMs: z.number().describe('Login, ms UTC'),
        usedMs: z.number().describe('Begin of the day of the last use, ms UTC'),
      }),
    )
    .max(maxSessions)
    .describe('Devices that stay logged in'),
});

/** Sessions that outlive the process, in `sessions.json` of the data folder. */
export interface SessionFile {
  /** From before the start, of users whose password and role are still the same. */
  readonly before: readonly KeptSession[];
  /** Writes `kept` soon. Never throws, never waits. */
  changed(kept: () => readonly KeptSession[]): void;
  /** Resolves when everything is on the disk, or could not be written. */
  settled(): Promise<void>;
}

/** A file that cannot be read means that everybody has to log in again. */
export async function openSessionFile(dataDir: string, users: Pick<Users, 'known' | 'markOf'>, log: Log): Promise<SessionFile> {
  const path = join(dataDir, 'sessions.json');
  const stored = await readSecretFile(path, sessionsFile).catch((err: unknown) => {
    log.warn({ err }, 'Devices that stayed logged in have to log in again');
    return undefined;
  });
  let current: () => readonly KeptSession[] = () => [];
  const content = () => ({
    version: 1,
    // A session whose user has another password by now is over, though nobody has asked for it since.
    sessions: current().flatMap(({ user, ...rest }) => {
      const mark = users.markOf(user);
      return mark === undefined ? [] : [{ ...rest, user: user.name, mark }];
    }),
  });
  const writer = createLateWriter(path, content, log, 'Devices that stay logged in could not be written');
  return {
    before: (stored?.sessions ?? []).flatMap(({ user: name, mark, ...rest }) => {
      const user = users.known(name, mark);
      return user === undefined ? [] : [{ ...rest, user }];
    }),
    changed(kept) {
      current = kept;
      writer.changed();
    },
    settled: () => writer.settled(),
  };
}
