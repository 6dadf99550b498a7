import { readFileSync } from 'node:fs';
import { PermanentError } from '@nhip/core/process/errors';

/** Who we are to a server behind HTTP; secrets are in files. */
export interface Access {
  readonly username?: string | undefined;
  readonly passwordFile?: string | undefined;
  readonly tokenFile?: string | undefined;
}

/** The `Authorization` header: token before user, undefined without either. Throws PermanentError when a file cannot be read. */
export function authorizationOf({ username, passwordFile, tokenFile }: Access): string | undefined {
  if (tokenFile !== undefined) return `Token ${readSecret(tokenFile, 'tokenFile')}`;
  if (username === undefined) return undefined;
  const password = passwordFile === undefined ? '' : readSecret(passwordFile, 'passwordFile');
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** What stands in the file that the setting `key` names, without blanks around. Throws PermanentError `store.secret`. */
export function readSecret(file: string, key: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    throw new PermanentError('store.secret', `store.${key}: ${file} cannot be read (${code})`, cause);
  }
}
