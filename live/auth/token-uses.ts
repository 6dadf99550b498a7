import { join } from 'node:path';
import type { Log } from '@nhip/core/process/log';
import { z } from 'zod';
import { createLateWriter } from './late-writer.ts';
import { readSecretFile } from './secret-file.ts';

/**
 * When tokens were last used, to the hour: enough to find those that nobody needs any more, at one write per token and hour.
 * A file of its own, because the server writes it while commands write the tokens.
 */
const usesFile = z.strictObject({
  version: z.literal(1).describe('Format of this file'),
  uses: z.record(z.string(), z.number()).describe('Begin of the hour of the last use, ms UTC, by name of the token'),
});

const hourMs = 3_600_000;
/** Tokens that were removed stay in it until there are this many. */
const maxNames = 1000;

export interface TokenUses {
  /** Never throws, never waits. */
  note(name: string, nowMs: number): void;
  /** Resolves when what was noted is on the disk, or could not be written. */
  settled(): Promise<void>;
}

/** By name of the token; {} when there is no file that can be read. */
export async function readUses(dataDir: string): Promise<Readonly<Record<string, number>>> {
  return (await readSecretFile(pathOf(dataDir), usesFile).catch(() => undefined))?.uses ?? {};
}

export async function openTokenUses(dataDir: string, log: Log): Promise<TokenUses> {
  const uses = new Map(Object.entries(await readUses(dataDir)));
  const content = () => ({ version: 1, uses: Object.fromEntries(uses) });
  const writer = createLateWriter(pathOf(dataDir), content, log, 'The last use of API tokens could not be written');

  return {
    note(name, nowMs) {
      const hour = Math.floor(nowMs / hourMs) * hourMs;
      if (uses.get(name) === hour) return;
      uses.delete(name);
      uses.set(name, hour);
      const [oldest] = uses.keys();
      if (uses.size > maxNames && oldest !== undefined) uses.delete(oldest);
      writer.changed();
    },
    settled: () => writer.settled(),
  };
}

function pathOf(dataDir: string): string {
  return join(dataDir, 'token-uses.json');
}
