import { ConfigError } from '@nhip/core/process/errors';
import { fillProfiles } from '../expand.ts';

/** `fillProfiles` for what must be without problems. Throws ConfigError with all of them. */
export function expandProfiles(given: unknown, source: string): unknown {
  const { raw, problems } = fillProfiles(given);
  if (problems.length === 0) return raw;
  throw new ConfigError(
    source,
    problems.map(({ device, problem }) => `${device}${problem}`),
  );
}
