import { readFileSync } from 'node:fs';
import { ConfigError } from '@nhip/core/process/errors';

/**
 * The password of `admin` for the first start: NHIP_ADMIN_PASSWORD, or the content of the file in NHIP_ADMIN_PASSWORD_FILE. undefined: one
 * is made and said once. Throws ConfigError for a file that cannot be read.
 */
export function adminPassword(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const file = env.NHIP_ADMIN_PASSWORD_FILE;
  // Empty is how compose files say "not set".
  if (env.NHIP_ADMIN_PASSWORD || !file) return env.NHIP_ADMIN_PASSWORD;
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new ConfigError('NHIP_ADMIN_PASSWORD_FILE', [
      `${file} cannot be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}`,
    ]);
  }
}
