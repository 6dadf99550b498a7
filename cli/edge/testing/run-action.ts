import { vi } from 'vitest';
import { parseInput } from '../../arguments.ts';
import { edge } from '../../commands/edge.ts';

/** Runs one `nhip edge` action in this process. Resolves with its exit code and what it wrote to stdout; rejects as it does. */
export async function runAction(action: string, ...args: readonly string[]): Promise<{ readonly code: number; readonly text: string }> {
  const command = edge.actions?.[action];
  if (command === undefined) throw new Error(`there is no action ${action}`);
  const written: string[] = [];
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
  try {
    const code = await command.run(parseInput(command, args, {}));
    return { code, text: written.join('') };
  } finally {
    write.mockRestore();
  }
}
