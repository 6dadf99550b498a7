import { readFileSync } from 'node:fs';
import { parseDocument } from 'yaml';
import type { z } from 'zod';
import { ConfigError } from './errors.ts';

/** Guards against YAML bombs: aliases that expand to more than this are refused. */
const maxAliasCount = 100;

/**
 * Reads a YAML file and checks it against `schema`. `${NAME}` inside a text takes the environment variable NAME.
 * Throws ConfigError with every problem at once: path inside the file, what is wrong, and what was expected.
 */
export function loadConfig<T>(schema: z.ZodType<T>, file: string, env: Readonly<Record<string, string | undefined>>): T {
  return parseConfig(schema, readConfigText(file), file, env);
}

/** The text of a configuration file. Throws ConfigError when it cannot be read. */
export function readConfigText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError(file, [`cannot be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}`]);
  }
}

/** `loadConfig` for YAML text that is already there; `source` names it in errors. */
export function parseConfig<T>(schema: z.ZodType<T>, text: string, source: string, env: Readonly<Record<string, string | undefined>>): T {
  return checkConfig(schema, parseYaml(text, source, env), source);
}

/** What the YAML says, not yet checked by a schema. Throws ConfigError when it is no YAML or names an unset variable. */
export function parseYaml(text: string, source: string, env: Readonly<Record<string, string | undefined>>): unknown {
  const document = parseDocument(text, { prettyErrors: true, uniqueKeys: true });
  if (document.errors.length > 0)
    throw new ConfigError(
      source,
      document.errors.map((error) => firstLine(error.message)),
    );
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount });
  } catch (error) {
    throw new ConfigError(source, [firstLine(String(error))]);
  }
  const problems: string[] = [];
  const filled = substitute(value ?? {}, '', env, problems);
  if (problems.length > 0) throw new ConfigError(source, problems);
  return filled;
}

/** Checks a value that is no text any more. The result is frozen, deeply. */
export function checkConfig<T>(schema: z.ZodType<T>, value: unknown, source: string): T {
  const result = schema.safeParse(value, { reportInput: false });
  if (result.success) return freeze(result.data);
  throw new ConfigError(
    source,
    result.error.issues.flatMap((issue) => describe(issue, value)),
  );
}

function describe(issue: z.core.$ZodIssue, whole: unknown): readonly string[] {
  const path = issue.path.reduce<string>(
    (text, key) => (typeof key === 'number' ? `${text}[${key}]` : text === '' ? String(key) : `${text}.${String(key)}`),
    '',
  );
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => `${path === '' ? key : `${path}.${key}`}: unknown key; check the spelling or remove it`);
  }
  // Of a choice the message does not tell that nothing was chosen.
  if (issue.code === 'invalid_value' && issue.path.length > 0 && valueAt(whole, issue.path) === undefined) {
    return [`${path}: is missing; expected ${issue.values.map(String).join(' or ')}`];
  }
  const isMissing = issue.code === 'invalid_type' && issue.message.endsWith('received undefined');
  return [`${path === '' ? '(whole file)' : path}: ${isMissing ? `is missing; expected ${issue.expected}` : issue.message}`];
}

function valueAt(whole: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? (value as Record<PropertyKey, unknown>)[key] : undefined,
    whole,
  );
}

function substitute(value: unknown, path: string, env: Readonly<Record<string, string | undefined>>, problems: string[]): unknown {
  if (typeof value === 'string') {
    return value.replace(/\$\{([A-Z][A-Z0-9_]*)\}/g, (_, name: string) => {
      const found = env[name];
      if (found === undefined) problems.push(`${path}: environment variable ${name} is not set`);
      return found ?? '';
    });
  }
  if (Array.isArray(value)) return value.map((item, i) => substitute(item, `${path}[${i}]`, env, problems));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, substitute(item, path === '' ? key : `${path}.${key}`, env, problems)]),
    );
  }
  return value;
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const item of Object.values(value)) freeze(item);
  }
  return value;
}

function firstLine(text: string): string {
  return (text.split('\n')[0] ?? text).replace(/:$/, '');
}
