import { ConfigError } from '@nhip/core/process/errors';
import { type Command, commandHelp, parseInput } from './arguments.ts';

/** Each command is loaded when it is called, so that an edge agent never loads the server. */
const commands: Readonly<Record<string, { readonly summary: string; load(): Promise<Command> }>> = {
  demo: {
    summary: 'A simulated factory, live: simulators, two edge agents, server',
    load: async () => (await import('./commands/demo.ts')).demo,
  },
  server: { summary: 'Broker, ingest and live in one process', load: async () => (await import('./commands/server.ts')).server },
  broker: { summary: 'The MQTT broker with its durable log', load: async () => (await import('./commands/broker.ts')).broker },
  ingest: { summary: 'From the log of the broker to the store', load: async () => (await import('./commands/ingest.ts')).ingest },
  live: { summary: 'The web board and API', load: async () => (await import('./commands/live.ts')).live },
  edge: { summary: 'The edge agent: run, check, read, browse', load: async () => (await import('./commands/edge.ts')).edge },
  simulate: {
    summary: 'The simulated plant on Modbus TCP and OPC UA',
    load: async () => (await import('./commands/simulate.ts')).simulate,
  },
  device: { summary: 'MQTT credentials: add, list, remove', load: async () => (await import('./commands/device.ts')).device },
  dlq: { summary: 'Dead letters: list, show, replay', load: async () => (await import('./commands/dlq.ts')).dlq },
  doctor: { summary: 'What is wrong here, and what to do', load: async () => (await import('./commands/doctor.ts')).doctor },
  backup: { summary: 'A backup of the server, running or not', load: async () => (await import('./commands/backup.ts')).backup },
  restore: { summary: 'Puts a backup in place', load: async () => (await import('./commands/restore.ts')).restore },
  version: { summary: 'Version', load: async () => (await import('./commands/version.ts')).version },
};

function help(): string {
  const rows = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(10)} ${summary}`);
  return ['Nhịp: telemetry for factories', '', 'nhip COMMAND [options]        nhip COMMAND --help', '', ...rows, ''].join('\n');
}

/** Runs one command line and sets the exit code: 0 done, 1 failed, 78 bad configuration. */
export async function main(args: readonly string[]): Promise<void> {
  // A reader that has seen enough (`| head`) is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  const [name, ...rest] = args;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(help());
    return;
  }
  const entry = Object.hasOwn(commands, name) ? commands[name] : name === '--version' ? commands.version : undefined;
  if (entry === undefined) {
    process.stderr.write(`nhip: "${name}" is not a command.\n\n${help()}`);
    process.exitCode = 78;
    return;
  }
  try {
    const command = await entry.load();
    if (rest.includes('--help') || rest.includes('-h')) {
      process.stdout.write(commandHelp(command));
      return;
    }
    process.exitCode = await command.run(parseInput(command, rest, process.env));
  } catch (error) {
    const isConfig = error instanceof ConfigError;
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(message.startsWith(`nhip ${name}`) ? `${message}\n` : `nhip ${name}: ${message}\n`);
    if (!isConfig && process.env.NHIP_LOG_LEVEL === 'debug') console.error(error);
    // Something may still be open; a command that failed must end all the same.
    process.exit(isConfig ? 78 : 1);
  }
}
