import { parseYaml } from '@nhip/core/process/config';
import { ConfigError } from '@nhip/core/process/errors';
import { mqttCa, mqttPassword } from '@nhip/edge-agent/agent';
import { idProblems } from '@nhip/edge-agent/id-problems';

/** Runs each step and returns what ConfigErrors said; any other error is thrown. */
export function problemsOf(...steps: readonly (() => unknown)[]): readonly string[] {
  return steps.flatMap((step) => {
    try {
      step();
      return [];
    } catch (error) {
      if (error instanceof ConfigError) return error.problems;
      throw error;
    }
  });
}

/**
 * What is wrong with a configuration that the schema refused with `error`: what it said, and what it did not come to (ids that are there
 * twice, files that are not there), so that nobody has to mend a file problem by problem. `beside` makes a file name absolute.
 */
export function allProblems(error: ConfigError, text: string, file: string, beside: (path: string) => string): ConfigError {
  let document: unknown;
  const unreadable = problemsOf(() => {
    document = parseYaml(text, file, process.env);
  });
  if (unreadable.length > 0) return error;
  const known = error.problems;
  const isKnown = (path: string): boolean => known.some((problem) => problem.startsWith(`${path}:`));
  const ids = idProblems(document).filter(({ path }) => !isKnown(path));
  return new ConfigError(file, [
    ...known,
    ...ids.map(({ path, message }) => `${path}: ${message}`),
    ...fileProblems((document as { readonly mqtt?: unknown }).mqtt, file, beside),
  ]);
}

function fileProblems(mqtt: unknown, file: string, beside: (path: string) => string): readonly string[] {
  if (typeof mqtt !== 'object' || mqtt === null) return [];
  const { password, passwordFile, caFile } = mqtt as Readonly<Record<string, unknown>>;
  // Of what is no text the schema has told already.
  if ([password, passwordFile, caFile].some((value) => value !== undefined && (typeof value !== 'string' || value === ''))) return [];
  const path = (value: unknown): string | undefined => (typeof value === 'string' ? beside(value) : undefined);
  const settled = {
    mqtt: { password: typeof password === 'string' ? password : undefined, passwordFile: path(passwordFile), caFile: path(caFile) },
  };
  return problemsOf(
    () => mqttPassword(settled, file),
    () => mqttCa(settled, file),
  );
}
