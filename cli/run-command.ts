import { ConfigError } from '@nhip/core/process/errors';
import { type Command, commandHelp, parseInput } from './arguments.ts';

/**
 * Runs one command line and sets the exit code: 0 done, 1 failed, 78 bad configuration. `line` is how the command was called, without
 * its arguments, e.g. `nhip edge`. `args[0]` may name one of the command's actions.
 */
export async function runCommand(line: string, load: () => Promise<Command>, args: readonly string[]): Promise<void> {
  // A reader that has seen enough (`| head`) is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  let called = line;
  try {
    const whole = await load();
    const [name = ''] = args;
    const isAction = whole.actions !== undefined && Object.hasOwn(whole.actions, name);
    const command = isAction ? (whole.actions[name] ?? whole) : whole;
    const rest = isAction ? args.slice(1) : args;
    if (isAction) called = `${line} ${name}`;
    if (rest.includes('--help') || rest.includes('-h')) {
      process.stdout.write(commandHelp(command, called));
      return;
    }
    process.exitCode = await command.run(parseInput(command, rest, process.env, called));
  } catch (error) {
    const isConfig = error instanceof ConfigError;
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(message.startsWith(line) ? `${message}\n` : `${called}: ${message}\n`);
    if (!isConfig && process.env.NHIP_LOG_LEVEL === 'debug') console.error(error);
    // Something may still be open; a command that failed must end all the same.
    process.exit(isConfig ? 78 : 1);
  }
}
