import type { KeyObject } from 'node:crypto';
import type { Log } from '@nhip/core/process/log';
import { digestOfBytes } from '../contract/digest.ts';
import { activeProduct } from '../contract/policy.ts';
import { contractName, type ProductionReport } from '../contract/report.ts';
import { verifyReport } from '../contract/signature.ts';
import type { GatewayConfig } from './config.ts';
import { moved, type OutboxItem, openStates } from './outbox/item.ts';
import type { Outbox } from './outbox/outbox.ts';
import type { PolicyStore } from './policy-store.ts';
import type { ReportLine } from './report-line.ts';

export interface SealingDeps {
  readonly outbox: Outbox;
  readonly policies: PolicyStore;
  readonly line: ReportLine;
  readonly config: Pick<GatewayConfig, 'recipients' | 'expireDays'>;
  readonly publicKey: KeyObject;
  readonly log: Log;
  now(): number;
}

/** Ends what may not leave any more: consent taken back, product no longer shared, policy over, nobody approved in time. */
export async function endWhatMayNotLeave({ outbox, policies, line, config, now }: SealingDeps): Promise<void> {
  await outbox.change(() => {
    const atMs = now();
    const items = outbox.waiting().flatMap((item) => {
      if (line.versionFor(item.recipient) === undefined) {
        const end = whyNot(policies, item.recipient, atMs);
        const reason = item.state === 'sending' ? mayHaveArrived(end.reason) : end.reason;
        return [moved(item, end.to, { atMs, by: end.by, reason })];
      }
      const madeMs = item.history[0]?.atMs ?? atMs;
      const isLate = item.state === 'held' && atMs > madeMs + config.expireDays * 86_400_000;
      return isLate ? [moved(item, 'expired', { atMs, by: 'gateway', reason: words.notApproved })] : [];
    });
    return { items };
  });
}

/** Makes again, under the policy that holds now, what was made under another one and has not left. */
export async function remakeForPolicy({ outbox, line, now }: SealingDeps): Promise<void> {
  const isOld = (item: OutboxItem): boolean => {
    const version = line.versionFor(item.recipient);
    return [...openStates, 'sealed'].includes(item.state) && version !== undefined && version.digest !== item.policyDigest;
  };
  for (const { id } of outbox.waiting().filter(isOld)) {
    // A sealed one has not been sent: `sending` is on disk before the first byte leaves.
    const [ended] = await outbox.change(() => {
      const item = outbox.find(id);
      return item === undefined || !isOld(item)
        ? {}
        : { items: [moved(item, 'superseded', { atMs: now(), by: 'gateway', reason: words.newPolicy })] };
    });
    if (ended === undefined) continue;
    if (ended.status !== 'withdrawn') await line.consider(ended.recipient, line.periodOf(ended));
    else await line.withdraw(ended.recipient, ended, 'gateway');
  }
}

/** Seals what is approved and due. The bytes are read back: what is not exactly what people saw does not leave. */
export async function sealDue({ outbox, line, config, publicKey, log, now }: SealingDeps): Promise<number> {
  const isStanding = (item: OutboxItem): boolean => config.recipients[item.recipient]?.approval === 'standing';
  const isDue = (item: OutboxItem | undefined): item is OutboxItem =>
    item !== undefined &&
    item.stoppedBy === undefined &&
    item.dueMs <= now() &&
    (item.state === 'approved' || (item.state === 'held' && isStanding(item))) &&
    line.versionFor(item.recipient)?.digest === item.policyDigest;
  let sealed = 0;
  for (const { id } of outbox.waiting().filter(isDue)) {
    const bytes = await outbox.files.read('bytes', id);
    await outbox.change(() => {
      const item = outbox.find(id);
      if (!isDue(item)) return {};
      const atMs = now();
      if (bytes === undefined || !isSound(item, bytes, publicKey)) {
        log.error({ id, digest: item.digest }, 'The bytes of a held report are not those that were shown: it is made again');
        return { items: [moved(item, 'superseded', { atMs, by: 'gateway', reason: words.damaged })] };
      }
      const by = { atMs, by: 'gateway' };
      const approved = item.state === 'approved' ? item : moved(item, 'approved', { ...by, reason: words.standing });
      sealed++;
      return { items: [moved(approved, 'sealed', by)] };
    });
    const item = outbox.find(id);
    if (item?.state === 'superseded' && item.status !== 'withdrawn') await line.consider(item.recipient, line.periodOf(item));
  }
  return sealed;
}

function isSound(item: OutboxItem, bytes: Uint8Array, publicKey: KeyObject): boolean {
  if (digestOfBytes(bytes) !== item.digest) return false;
  return verifyReport(JSON.parse(Buffer.from(bytes).toString('utf8')) as ProductionReport, publicKey).ok;
}

function whyNot(policies: PolicyStore, recipient: string, atMs: number) {
  const version = policies.inForce(atMs);
  const revoked = version === undefined ? undefined : policies.revocation(recipient, contractName, version);
  if (revoked !== undefined) return { to: 'withdrawn', by: revoked.by, reason: words.revoked } as const;
  const active = version === undefined ? undefined : activeProduct(version.policy, recipient, contractName, atMs);
  const isOver = active?.ok === false && active.reason === 'not_active';
  return { to: isOver ? 'expired' : 'withdrawn', by: 'gateway', reason: isOver ? words.over : words.notShared } as const;
}

function mayHaveArrived(reason: { readonly vi: string; readonly en: string }) {
  return { vi: `${reason.vi}; có thể đã đến nơi nhận`, en: `${reason.en}; it may have arrived` };
}

const words = {
  revoked: { vi: 'Đã rút lại đồng ý', en: 'Consent was taken back' },
  notShared: { vi: 'Chính sách không còn chia sẻ với bên nhận này', en: 'The policy does not share it any more' },
  over: { vi: 'Chính sách đã hết hiệu lực', en: 'The policy is over' },
  notApproved: { vi: 'Không đủ người duyệt trong thời hạn', en: 'Not approved in time' },
  newPolicy: { vi: 'Lập lại theo chính sách mới', en: 'Made again under the new policy' },
  damaged: { vi: 'Tệp trên đĩa không còn đúng nội dung đã xem', en: 'The file on disk is not what was shown' },
  standing: { vi: 'Duyệt sẵn khi duyệt chính sách', en: 'Approved with the policy (standing approval)' },
} as const;
