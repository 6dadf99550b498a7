import type { Disk } from '@nhip/core/process/env';
import { PermanentError } from '@nhip/core/process/errors';
import { readSmallFile, replaceSmallFile } from '@nhip/core/process/small-file';
import type { Checkpoint } from '../history-store.ts';

/** Where the checkpoint of a store lies that cannot keep one: a folder of its own. */
export interface CheckpointPlace {
  readonly disk: Disk;
  readonly folder: string;
}

interface Waiting {
  readonly openedAtMs: number;
  /** When the last write that leads to it was answered. */
  repliedAtMs: number;
  checkpoint: Checkpoint;
}

/**
 * Checkpoints that wait until what they stand for is durable: `delayMs` after the server's reply (class D1). At most one in
 * `delayMs / 12` is kept waiting, so that their number is bounded. Times are monotonic ms.
 */
export interface LateCheckpoints {
  /** The server has answered for everything that leads to it. */
  replied(checkpoint: Checkpoint, atMs: number): void;
  /** The newest one whose reply was at least `delayMs` before `atMs`; it and the older ones wait no more. */
  takeDurable(atMs: number): Checkpoint | undefined;
  forget(): void;
}

const slots = 12;

export function createLateCheckpoints(delayMs: number): LateCheckpoints {
  let waiting: Waiting[] = [];
  return {
    replied(checkpoint, atMs) {
      const last = waiting.at(-1);
      if (last !== undefined && atMs - last.openedAtMs < delayMs / slots) {
        last.repliedAtMs = atMs;
        last.checkpoint = checkpoint;
      } else waiting.push({ openedAtMs: atMs, repliedAtMs: atMs, checkpoint });
    },
    takeDurable(atMs) {
      const durable = waiting.filter(({ repliedAtMs }) => atMs - repliedAtMs >= delayMs);
      waiting = waiting.slice(durable.length);
      return durable.at(-1)?.checkpoint;
    },
    forget() {
      waiting = [];
    },
  };
}

const fileName = 'checkpoint.json';
const version = 1;

/** The checkpoint in the file; undefined when there is none, or one of another server. Throws PermanentError when it cannot be read. */
export async function readCheckpointFile({ disk, folder }: CheckpointPlace, url: string): Promise<Checkpoint | undefined> {
  const bytes = await readSmallFile(disk, folder, fileName);
  if (bytes === undefined) return undefined;
  const found = parse(bytes);
  if (found?.version !== version) {
    throw new PermanentError('store.damaged', `${folder}/${fileName} is damaged or of another version: remove it to begin this store anew`);
  }
  if (found.url !== url) return undefined;
  return { nextIndex: Number(found.nextIndex), decoder: binary(found.decoder), repeats: binary(found.repeats) };
}

/** Durable when it resolves. */
export async function writeCheckpointFile({ disk, folder }: CheckpointPlace, url: string, checkpoint: Checkpoint): Promise<void> {
  const { nextIndex, decoder, repeats } = checkpoint;
  const content = { version, url, nextIndex, decoder: base64(decoder), repeats: base64(repeats) };
  await replaceSmallFile(disk, folder, fileName, new TextEncoder().encode(JSON.stringify(content)));
}

function parse(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const content: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof content === 'object' && content !== null ? (content as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

function binary(text: unknown): Uint8Array {
  return new Uint8Array(Buffer.from(String(text), 'base64'));
}
