import { parseArgs } from 'node:util';
import { ConfigError } from '@nhip/core/process/errors';

/** One option of a command. `env` is taken when the flag is absent. */
export interface Flag {
  readonly summary: string;
  /** Placeholder in the help; a flag without one is a switch. */
  readonly value?: string;
  readonly short?: string;
  readonly env?: string;
}

export interface Command {
  readonly name: string;
  readonly summary: string;
  /** Positional arguments as the help shows them. */
  readonly usage?: string;
  readonly flags: Readonly<Record<string, Flag>>;
  /** Commands of their own behind the first positional argument, each with its own flags and help; `run` gets what is none of them. */
  readonly actions?: Readonly<Record<string, Command>>;
  /** Resolves with the exit code. */
  run(input: Input): Promise<number>;
}

export interface Input {
  readonly positionals: readonly string[];
  text(flag: string): string | undefined;
  /** Every value of a flag that may be given several times. */
  all(flag: string): readonly string[];
  isSet(flag: string): boolean;
  /** A TCP port; throws ConfigError when it is none. */
  port(flag: string): number | undefined;
}

/** Flags of every command that runs a role. */
export const commonFlags = {
  config: { summary: 'YAML configuration file', value: 'FILE', short: 'c' },
  data: { summary: 'Data folder (default ./data)', value: 'DIR', env: 'NHIP_DATA' },
  json: { summary: 'One line of JSON on stdout when ready' },
  check: { summary: 'Check the configuration and exit' },
  'log-level': { summary: 'debug, info, warn, error or silent', value: 'LEVEL', env: 'NHIP_LOG_LEVEL' },
} as const satisfies Record<string, Flag>;

export const listenFlags = {
  host: { summary: 'Address to listen on (default 127.0.0.1)', value: 'HOST', env: 'NHIP_HOST' },
  'http-port': { summary: 'Port of the web board and API (default 8080; 0: any free one)', value: 'PORT', env: 'NHIP_HTTP_PORT' },
  'mqtt-port': { summary: 'Port of the broker (default 1883; 0: any free one)', value: 'PORT', env: 'NHIP_MQTT_PORT' },
} as const satisfies Record<string, Flag>;

/** Parses what follows the command's name. Throws ConfigError that names the wrong argument. */
export function parseInput(
  command: Command,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  line = `nhip ${command.name}`,
): Input {
  const options = Object.fromEntries(
    Object.entries({ ...command.flags, help: { summary: '', short: 'h' } as Flag }).map(([name, flag]) => [
      name,
      {
        type: flag.value === undefined ? ('boolean' as const) : ('string' as const),
        multiple: true as const,
        ...(flag.short ? { short: flag.short } : {}),
      },
    ]),
  );
  let values: Record<string, unknown>;
  let positionals: string[];
  try {
    ({ values, positionals } = parseArgs({ args: args.map(hidden), options, allowPositionals: true, strict: true }));
  } catch (error) {
    throw new ConfigError(line, [(error as Error).message.split('. To specify')[0] ?? '']);
  }
  const text = (name: string): string | undefined => {
    const given = values[name];
    if (Array.isArray(given)) return shown(String(given.at(-1)));
    const variable = command.flags[name]?.env;
    // Empty is how compose files say "not set".
    return variable === undefined ? undefined : env[variable] || undefined;
  };
  return {
    positionals: positionals.map(shown),
    text,
    all: (name) => (Array.isArray(values[name]) ? (values[name] as unknown[]).map((value) => shown(String(value))) : []),
    isSet: (name) => Array.isArray(values[name]),
    port(name) {
      const given = text(name);
      if (given === undefined) return undefined;
      const port = /^\d{1,5}$/.test(given) ? Number(given) : -1;
      if (port < 0 || port > 65_535) throw new ConfigError(`--${name}`, [`"${given}" is not a port (0–65535)`]);
      return port;
    },
  };
}

/** A negative number is a value, no flag: the parser must not see its minus. No argument of a process has a NUL. */
const hidden = (arg: string): string => (/^-\.?\d/.test(arg) ? `\0${arg}` : arg);
const shown = (arg: string): string => arg.replace(/^\0/, '');

const logLevels = ['debug', 'info', 'warn', 'error', 'silent'];

/** The level of --log-level, default info. Throws ConfigError when it is none. */
export function logLevel(input: Input): string {
  const level = input.text('log-level') ?? 'info';
  if (!logLevels.includes(level)) throw new ConfigError('--log-level', [`"${level}" is none of ${logLevels.join(', ')}`]);
  return level;
}

/** The help of one command; of a command with actions, a line for each. `line` is how it is called. */
export function commandHelp(command: Command, line = `nhip ${command.name}`): string {
  if (command.actions !== undefined) {
    const actions = Object.entries(command.actions).map(([name, { summary }]) => `  ${name.padEnd(10)}${summary.split(/[,:.] /)[0]}`);
    return [`${line} ACTION [options]        ${line} ACTION --help`, '', `  ${command.summary}`, '', ...actions, ''].join('\n');
  }
  const rows = Object.entries(command.flags).map(([name, flag]) => {
    const left = `${flag.short ? `-${flag.short}, ` : '    '}--${name}${flag.value ? ` ${flag.value}` : ''}`;
    return `  ${left.padEnd(25)} ${flag.summary}${flag.env ? ` [${flag.env}]` : ''}`;
  });
  return [
    `${line}${command.usage ? ` ${command.usage}` : ''}`,
    '',
    `  ${command.summary}`,
    '',
    ...rows,
    '  -h, --help              This help',
    '',
  ].join('\n');
}
