/**
 * What rules must know after a restart: sums of `count` and `total`, and the last values of the others. One small file for the
 * whole agent, replaced at most once in `pauseMs`, so that a gateway's card is not worn by counting.
 *
 * Durable: everything after a clean stop. After a kill or a power cut it is as of the last write, at most `pauseMs` older. What is
 * shown of a sum is never ahead of this file, so a sum never goes back; `total` catches up from the machine's own counter, edges that
 * `count` saw since the last write are not counted.
 */
import type { Clock, Disk, Timer } from '@nhip/core/process/env';
import type { Log } from '@nhip/core/process/log';
import { readSmallFile, replaceSmallFile } from '@nhip/core/process/small-file';
import { z } from 'zod';
import type { Memory } from './memory-functions.ts';

export interface RuleMemory {
  /** Takes a rule under its key. An older rule of the same key is let go. */
  attach(key: RuleKey, rule: RememberedRule): Attached;
  /** Writes what is not on disk yet. Never rejects. */
  close(): Promise<void>;
}

export interface RememberedRule {
  /** What its calls remember now, in their order. */
  snapshot(): readonly Memory[];
  /** These are on disk. */
  onKept(memories: readonly Memory[]): void;
}

export interface Attached {
  /** What was remembered before; undefined for a rule that is new or whose expression changed. */
  readonly recalled: readonly Memory[] | undefined;
  /** A sum grew: it is to be written soon. */
  changed(): void;
  /** The rule ends; what it remembers stays. */
  detach(): void;
}

export interface RuleKey {
  readonly deviceId: string;
  readonly metric: string;
  readonly expression: string;
}

const pauseMs = 5_000;
const fileName = 'memory.json';
/** Rules that are not configured any more are forgotten beyond this. */
const maxRules = 5_000;

const scalar = z.union([z.number(), z.boolean(), z.string(), z.strictObject({ integer: z.string().regex(/^-?\d{1,20}$/) })]);
const content = z.record(z.string(), z.array(z.strictObject({ last: scalar.optional(), sum: scalar.optional() })));
type Plain = z.infer<typeof scalar>;

/** Opens the memory in `folder`. A file that cannot be read as such is logged and begun anew; disk errors reject. */
export async function openRuleMemory(
  { clock, disk }: { readonly clock: Clock; readonly disk: Disk },
  folder: string,
  log: Log,
): Promise<RuleMemory> {
  const remembered = new Map<string, readonly Memory[]>();
  const attached = new Map<string, RememberedRule>();
  for (const [key, memories] of Object.entries(await load(disk, folder, log))) remembered.set(key, memories.map(restore));
  let isDirty = false;
  let timer: Timer | undefined;
  let writing: Promise<void> | undefined;
  let isFailing = false;
  let isClosed = false;

  const write = async (): Promise<void> => {
    isDirty = false;
    const written = [...attached].map(([key, rule]) => ({ key, rule, memories: rule.snapshot() }));
    for (const { key, memories } of written) remembered.set(key, memories);
    for (const key of remembered.keys()) {
      if (remembered.size <= maxRules) break;
      if (!attached.has(key)) remembered.delete(key);
    }
    const text = JSON.stringify(Object.fromEntries([...remembered].map(([key, memories]) => [key, memories.map(store)])));
    try {
      await replaceSmallFile(disk, folder, fileName, new TextEncoder().encode(text));
      isFailing = false;
      for (const { key, rule, memories } of written) if (attached.get(key) === rule) rule.onKept(memories);
    } catch (error) {
      if (!isFailing) log.error({ err: error }, 'Sums of derived tags cannot be kept; what is shown of them stands still.');
      isFailing = true;
      isDirty = true;
    }
  };
  const schedule = (): void => {
    isDirty = true;
    if (timer !== undefined || writing !== undefined || isClosed) return;
    timer = clock.after(pauseMs, () => {
      timer = undefined;
      writing = write().finally(() => {
        writing = undefined;
        if (isDirty) schedule();
      });
    });
  };

  return {
    attach: (ruleKey, rule) => {
      const key = keyText(ruleKey);
      const recalled = attached.get(key)?.snapshot() ?? remembered.get(key);
      attached.set(key, rule);
      return {
        recalled,
        changed: schedule,
        detach: () => {
          if (attached.get(key) !== rule) return;
          remembered.set(key, rule.snapshot());
          attached.delete(key);
          schedule();
        },
      };
    },
    close: async () => {
      isClosed = true;
      timer?.cancel();
      await writing;
      if (isDirty || attached.size > 0) await write();
    },
  };
}

async function load(disk: Disk, folder: string, log: Log): Promise<z.infer<typeof content>> {
  const bytes = await readSmallFile(disk, folder, fileName);
  if (bytes === undefined) return {};
  try {
    return content.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (error) {
    log.error({ folder, err: error }, 'The memory of derived tags is damaged; their sums begin again at 0.');
    return {};
  }
}

function keyText({ deviceId, metric, expression }: RuleKey): string {
  return JSON.stringify([deviceId, metric, expression]);
}

function store({ last, sum }: Memory): { last?: Plain; sum?: Plain } {
  return { ...(last === undefined ? {} : { last: plain(last) }), ...(sum === undefined ? {} : { sum: plain(sum) }) };
}

function plain(value: NonNullable<Memory['last']>): Plain {
  return typeof value === 'bigint' ? { integer: value.toString() } : value;
}

function restore({ last, sum }: { last?: Plain | undefined; sum?: Plain | undefined }): Memory {
  const total = sum === undefined ? undefined : scalarOf(sum);
  return {
    last: last === undefined ? undefined : scalarOf(last),
    sum: typeof total === 'number' || typeof total === 'bigint' ? total : undefined,
  };
}

function scalarOf(value: Plain): NonNullable<Memory['last']> {
  return typeof value === 'object' ? BigInt(value.integer) : value;
}
