import { type Enrolled, enrol } from '@nhip/sector/gateway/enrol';
import { keep } from './kept-file.ts';

/** Where a factory keeps what the platform gives it. */
export interface GivenFiles {
  readonly secret: string;
  /** Written last. */
  readonly platformKey: string;
}

/** Exchanges a one-time code as `enrol` does, and keeps what the platform gave. When it throws what `enrol` throws, nothing was written. */
export async function joinPlatform(files: GivenFiles, ...enrolment: Parameters<typeof enrol>): Promise<Enrolled> {
  const given = await enrol(...enrolment);
  await keep(files.secret, `${given.clientSecret}\n`);
  await keep(files.platformKey, `${JSON.stringify(given.platformKey, null, 2)}\n`);
  return given;
}
