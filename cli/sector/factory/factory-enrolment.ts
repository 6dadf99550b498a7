import { join } from 'node:path';
import { ConfigError, PermanentError } from '@nhip/core/process/errors';
import type { Log } from '@nhip/core/process/log';
import { loadSigningKey } from '@nhip/sector/gateway/key-files';
import { z } from 'zod';
import { joinPlatform } from '../join-platform.ts';
import { keep, readKept } from '../kept-file.ts';
import type { FactoryIdentity } from './factories.ts';

/** Files of a factory in its folder, private to the user. */
export const factoryFiles = {
  key: 'signing-key.pem',
  secret: 'client-secret',
  platformKey: 'platform-key.json',
  /** Written last: with it the factory is enrolled. */
  enrolment: 'enrolment.json',
  policy: 'sharing-policy.yaml',
} as const;

export const keyName = 'k1';

const enrolmentFile = z.looseObject({ clientId: z.string().min(1).max(200) });

export interface EnrolOptions {
  readonly folder: string;
  /** Of the platform's API, `https://…/v1`. */
  readonly url: string;
  /** One-time code of the operator; needed once. */
  readonly code: string | undefined;
  readonly log: Log;
  readonly nowMs: number;
  readonly signal: AbortSignal;
}

/**
 * The client id of the factory at the platform; the first time it exchanges the code for one. Throws ConfigError without a code,
 * PermanentError when the platform refuses it, RetryableError when there is no answer.
 */
export async function enrolOnce(factory: FactoryIdentity, options: EnrolOptions): Promise<string> {
  const { folder, url, code, log, nowMs, signal } = options;
  const known = readEnrolment(join(folder, factoryFiles.enrolment));
  if (known !== undefined) {
    if (code !== undefined) log.info({ factory: factory.id }, 'The factory is enrolled already: the code is not used');
    return known;
  }
  if (code === undefined) {
    const command = `nhip sector enrol ${factory.enterpriseId} --plant ${factory.establishmentId}`;
    throw new ConfigError('--code', [`${factory.id} is not enrolled yet: its first start needs a code, which ${command} prints`]);
  }
  const key = await loadSigningKey(join(folder, factoryFiles.key), factory.enterpriseId, keyName);
  const files = { secret: join(folder, factoryFiles.secret), platformKey: join(folder, factoryFiles.platformKey) };
  const { clientId, platformKey, kid } = await joinPlatform(files, url, code, key, { nowMs, signal }).catch((error: unknown) => {
    if (!(error instanceof PermanentError)) throw error;
    const advice = `A factory is enrolled once at a server and keeps its key and client in ${folder}: put that folder back when it was removed.`;
    throw new PermanentError(error.code, `${error.message} ${advice}`, error);
  });
  await keep(join(folder, factoryFiles.enrolment), JSON.stringify({ clientId, kid, url }));
  log.info({ factory: factory.id, kid, platformKey }, 'The factory was enrolled at the sector server');
  return clientId;
}

function readEnrolment(file: string): string | undefined {
  const text = readKept(file);
  if (text === undefined) return undefined;
  try {
    return enrolmentFile.parse(JSON.parse(text)).clientId;
  } catch {
    throw new ConfigError(file, ['is damaged: remove the folder and enrol the factory again with a new code']);
  }
}
