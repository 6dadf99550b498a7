import manifest from '../package.json' with { type: 'json' };
import { edge } from './commands/edge.ts';
import { version } from './commands/version.ts';
import { edgeProgram } from './edge/program.ts';
import { runCommand } from './run-command.ts';

/**
 * The program of a gateway: the edge commands and nothing of the server. `nhip-edge run` is what `nhip edge run` is elsewhere; the word
 * `edge` may stand before, as the guides have it.
 */
export async function main(args: readonly string[]): Promise<void> {
  const [first, ...rest] = args;
  const said = first === 'edge' ? rest : args;
  if (said[0] === 'version' || said[0] === '--version') {
    await runCommand(`${edgeProgram} version`, async () => version, []);
    return;
  }
  if (said[0] === undefined || said[0] === 'help') process.stdout.write(`Nhịp edge agent ${manifest.version}\n\n`);
  await runCommand(edgeProgram, async () => edge, said[0] === undefined || said[0] === 'help' ? ['--help'] : said);
}
