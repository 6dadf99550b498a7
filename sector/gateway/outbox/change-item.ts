import type { OutboxItem } from './item.ts';
import type { Outbox } from './outbox.ts';

/** Changes an item, and others with it, to what `to` gives. Nothing happens when the item is not there any more, or `to` gives undefined. */
export async function changeItem(
  outbox: Pick<Outbox, 'change' | 'find'>,
  id: string,
  to: (item: OutboxItem) => readonly OutboxItem[] | undefined,
): Promise<void> {
  await outbox.change(() => {
    const item = outbox.find(id);
    const items = item === undefined ? undefined : to(item);
    return items === undefined ? {} : { items };
  });
}
