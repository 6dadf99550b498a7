import type { KeyObject } from 'node:crypto';
import type { Env } from '@nhip/core/process/env';
import type { Log } from '@nhip/core/process/log';
import type { Adapter, Delivery } from './adapters/adapter.ts';
import { changeItem } from './outbox/change-item.ts';
import { moved, type OutboxItem } from './outbox/item.ts';
import type { Outbox } from './outbox/outbox.ts';
import { recover } from './take-over.ts';

export interface RefusalsDeps {
  readonly env: Pick<Env, 'clock'>;
  readonly log: Log;
  readonly outbox: Outbox;
  readonly recipient: string;
  readonly adapter: Pick<Adapter, 'held'>;
  platformKeys(): readonly { readonly kid?: string; readonly publicKey: KeyObject }[];
  /** Public half of the plant's signing key. */
  readonly ownKey: KeyObject;
}

type Refusal = Extract<Delivery, { kind: 'refused' }>;

/** The recipient holds another report where this one would stand. */
const conflict = 'E114';

/** What becomes of an item that its recipient will never take as it is. Rejects as `Adapter.held`; the item is as it was then. */
export function createRefusals(deps: RefusalsDeps): (item: OutboxItem, refusal: Refusal, signal: AbortSignal) => Promise<void> {
  const { log, outbox, recipient, adapter, ownKey } = deps;
  const { clock } = deps.env;

  /** Later revisions name the digest of this one, which the recipient will never have. */
  const laterThan = ({ seriesKey, revision }: OutboxItem): readonly OutboxItem[] =>
    outbox.series(recipient, seriesKey).filter((each) => each.revision > revision && isUnsent(each.state));

  async function reject(id: string, { code, pointer, message }: Refusal): Promise<void> {
    log.warn({ id, recipient, code, pointer, problem: message.en }, 'A report was refused by its recipient');
    await changeItem(outbox, id, (item) => {
      if (item.state !== 'sending') return undefined;
      const atMs = clock.now();
      return [
        { ...moved(item, 'rejected', { atMs, by: recipient, reason: message }), problem: { by: 'platform', code, pointer, message } },
        ...laterThan(item).map((each) => moved(each, 'superseded', { atMs, by: 'gateway', reason: chainBroken })),
      ];
    });
  }

  /**
   * After a conflict: what the recipient holds of the series and this outbox has forgotten becomes part of it, so that the next revision
   * follows it. The refused report ends; the period is looked at again like every closed one. False: it is not ours, or nothing is new.
   */
  async function takeOver({ id, seriesKey }: OutboxItem, signal: AbortSignal): Promise<boolean> {
    const held = (await adapter.held?.(seriesKey, signal)) ?? [];
    const proof = { recipient, seriesKey, ownKey, platformKeys: deps.platformKeys(), atMs: clock.now() };
    const recovered = recover(held, outbox.series(recipient, seriesKey), proof);
    if (recovered === undefined) return false;
    for (const { item, bytes, receipt } of recovered) {
      await outbox.files.write('bytes', item.id, bytes);
      await outbox.files.write('receipts', item.id, receipt);
    }
    await changeItem(outbox, id, (item) => {
      if (item.state !== 'sending') return undefined;
      const step = { atMs: clock.now(), by: 'gateway', reason: takenOver };
      return [
        moved(moved(item, 'rejected', { ...step, by: recipient }), 'superseded', step),
        ...laterThan(item).map((each) => moved(each, 'superseded', step)),
        ...recovered.map((each) => ({ ...each.item, order: outbox.nextOrder() })),
      ];
    });
    log.warn(
      { id, recipient, seriesKey, revisions: recovered.length },
      'The recipient holds revisions that were forgotten here: taken over',
    );
    return true;
  }

  return async (item, refusal, signal) => {
    if (refusal.code === conflict && (await takeOver(item, signal))) return;
    await reject(item.id, refusal);
  };
}

const takenOver = {
  vi: 'Bên nhận đã giữ bản do chính nhà máy này gửi trước đó: lấy lại bản đó',
  en: 'The recipient holds what this plant sent before: taken over',
};
const chainBroken = { vi: 'Bản trước bị từ chối: lập lại', en: 'The revision before was refused: made again' };

function isUnsent(state: OutboxItem['state']): boolean {
  return state === 'held' || state === 'approved' || state === 'sealed';
}
