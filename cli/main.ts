import type { Command } from './arguments.ts';
import { runCommand } from './run-command.ts';

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
  edge: { summary: 'The edge agent: run, check, scan, read, write …', load: async () => (await import('./commands/edge.ts')).edge },
  simulate: {
    summary: 'The simulated plant on Modbus TCP and OPC UA',
    load: async () => (await import('./commands/simulate.ts')).simulate,
  },
  device: { summary: 'MQTT credentials: add, list, remove', load: async () => (await import('./commands/device.ts')).device },
  user: {
    summary: 'People who log in to the board: add, list, password, remove',
    load: async () => (await import('./commands/user.ts')).user,
  },
  token: { summary: 'API tokens of programs: add, list, remove', load: async () => (await import('./commands/token.ts')).token },
  dlq: { summary: 'Dead letters: list, show, replay', load: async () => (await import('./commands/dlq.ts')).dlq },
  doctor: { summary: 'What is wrong here, and what to do', load: async () => (await import('./commands/doctor.ts')).doctor },
  backup: { summary: 'A backup of the server, running or not', load: async () => (await import('./commands/backup.ts')).backup },
  export: { summary: 'Samples of a time as a Parquet or CSV file', load: async () => (await import('./commands/export.ts')).exportCommand },
  restore: { summary: 'Puts a backup in place', load: async () => (await import('./commands/restore.ts')).restore },
  sector: {
    summary: 'Signed reports to the sector: serve, enrol, verify',
    load: async () => (await import('./commands/sector.ts')).sector,
  },
  version: { summary: 'Version', load: async () => (await import('./commands/version.ts')).version },
};

function help(): string {
  const rows = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(10)} ${summary}`);
  return ['Nhịp: telemetry for factories', '', 'nhip COMMAND [options]        nhip COMMAND --help', '', ...rows, ''].join('\n');
}

/** Runs one command line and sets the exit code: 0 done, 1 failed, 78 bad configuration. */
export async function main(args: readonly string[]): Promise<void> {
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
  await runCommand(`nhip ${name}`, entry.load, rest);
}
