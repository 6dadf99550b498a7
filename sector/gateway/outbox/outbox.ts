import type { Env } from '@nhip/core/process/env';
import { createOutboxFiles, type OutboxFiles } from './files.ts';
import { type OutboxItem, waitingStates } from './item.ts';
import { type Changes, type Journal, openJournal } from './journal.ts';

/**
 * The items on disk, by id and by series. Everything that decides stands elsewhere (desk, builder, sender); here it is kept.
 * Changes are made one after the other: `change` sees the table as it is and nobody changes it in between.
 */
export interface Outbox {
  find(id: string): OutboxItem | undefined;
  /** All items, oldest period first; items of one period in the order in which they were made. */
  items(): readonly OutboxItem[];
  /** Those that have not left, arrived or ended: oldest period first. */
  waiting(): readonly OutboxItem[];
  /** The `order` of the next new item. */
  nextOrder(): number;
  /** Items of one series to one recipient, in the order in which they were made. */
  series(recipient: string, seriesKey: string): readonly OutboxItem[];
  /** Runs `decide` alone and commits what it returns, all or nothing. Resolves to the items as they are then. */
  change(decide: () => OutboxChange | Promise<OutboxChange>): Promise<readonly OutboxItem[]>;
  readonly files: OutboxFiles;
  readonly journal: Journal;
  /** Bytes of reports that have not arrived. */
  waitingBytes(): number;
  /** Removes items of periods before `beforeMs`, but for series of which something still waits: it follows what was sent. */
  prune(beforeMs: number): Promise<number>;
  close(): Promise<void>;
}

export interface OutboxChange {
  readonly items?: readonly OutboxItem[];
  /** Further entries of the journal, committed with them. */
  readonly entries?: Changes;
}

const itemPrefix = 'item/';

/** Opens the outbox in `folder`. Throws FatalError when its journal is damaged. */
export async function openOutbox(
  env: Pick<Env, 'disk'>,
  folder: string,
  options: { readonly minFileBytes?: number } = {},
): Promise<Outbox> {
  const journal = await openJournal(env.disk, folder, options);
  const files = createOutboxFiles(env.disk, folder);
  const byId = new Map<string, OutboxItem>();
  const bySeries = new Map<string, Set<string>>();
  const waitingIds = new Set<string>();
  let lastOrder = 0;
  let turn: Promise<unknown> = Promise.resolve();

  const seriesId = (recipient: string, seriesKey: string): string => `${recipient} ${seriesKey}`;
  const put = (item: OutboxItem): void => {
    lastOrder = Math.max(lastOrder, item.order);
    byId.set(item.id, item);
    if (waitingStates.includes(item.state)) waitingIds.add(item.id);
    else waitingIds.delete(item.id);
    const id = seriesId(item.recipient, item.seriesKey);
    const ids = bySeries.get(id) ?? new Set();
    bySeries.set(id, ids.add(item.id));
  };
  const drop = (item: OutboxItem): void => {
    byId.delete(item.id);
    const ids = bySeries.get(seriesId(item.recipient, item.seriesKey));
    ids?.delete(item.id);
    if (ids?.size === 0) bySeries.delete(seriesId(item.recipient, item.seriesKey));
  };
  const alone = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const result = turn.then(work);
    turn = result.catch(() => undefined);
    return result;
  };
  const inOrder = (list: OutboxItem[]): OutboxItem[] => list.sort((a, b) => a.fromMs - b.fromMs || a.order - b.order);
  const items = (): OutboxItem[] => inOrder([...byId.values()]);
  const waiting = (): OutboxItem[] => inOrder([...waitingIds].flatMap((id) => byId.get(id) ?? []));

  for (const [, item] of journal.entries(itemPrefix)) put(item as OutboxItem);
  await files.keepOnly(new Set(byId.keys()));

  return {
    files,
    journal,
    items,
    waiting,
    find: (id) => byId.get(id),
    nextOrder: () => ++lastOrder,
    series: (recipient, seriesKey) =>
      [...(bySeries.get(seriesId(recipient, seriesKey)) ?? [])].flatMap((id) => byId.get(id) ?? []).sort((a, b) => a.order - b.order),
    change: (decide) =>
      alone(async () => {
        const { items: changed = [], entries = [] } = await decide();
        if (changed.length + entries.length > 0) {
          await journal.commit([...changed.map((item) => [`${itemPrefix}${item.id}`, item] as const), ...entries]);
        }
        for (const item of changed) put(item);
        return changed;
      }),
    waitingBytes: () => waiting().reduce((sum, { bytes = 0 }) => sum + bytes, 0),
    prune: (beforeMs) =>
      alone(async () => {
        const open = new Set(waiting().map((item) => seriesId(item.recipient, item.seriesKey)));
        const old = items().filter(({ toMs, recipient, seriesKey }) => toMs < beforeMs && !open.has(seriesId(recipient, seriesKey)));
        if (old.length === 0) return 0;
        await journal.commit(old.map(({ id }) => [`${itemPrefix}${id}`, undefined] as const));
        for (const item of old) {
          drop(item);
          await files.remove(item.id);
        }
        return old.length;
      }),
    async close() {
      await turn;
      await journal.close();
    },
  };
}
