import { reasonOf } from '@nhip/core/process/errors';
import type { ReportState, SharingAlarm, SharingPolicyVersion, SharingRecipient, SharingReport } from '@nhip/core/wire/sharing';
import { reportStates } from '@nhip/core/wire/sharing';
import { jwkOf, type SigningKey } from '../contract/keys.ts';
import { periodAt } from '../contract/period.ts';
import { activeProduct, type ProductContract, type Recipient } from '../contract/policy.ts';
import { contractName, type ReportContent } from '../contract/report.ts';
import type { Alarms } from './alarms.ts';
import type { GatewayConfig } from './config.ts';
import type { Desk, DeskPage } from './desk.ts';
import { DeskError } from './desk-error.ts';
import { detailView, iso, itemView, policyView } from './desk-view.ts';
import type { Lanes } from './lanes.ts';
import { readSource } from './make-report.ts';
import { acceptedStates, moved, type OutboxItem } from './outbox/item.ts';
import type { Outbox } from './outbox/outbox.ts';
import { policyDifference } from './policy-difference.ts';
import { mayApprove, type PolicyStore, type PolicyVersion } from './policy-store.ts';
import type { ReportLine } from './report-line.ts';
import type { SenderStatus } from './sender.ts';
import { viewOf } from './series-rules.ts';
import { machineStatusContract, type StatusStream } from './status-stream.ts';

export interface DeskDeps {
  readonly config: GatewayConfig;
  readonly key: SigningKey;
  readonly outbox: Outbox;
  readonly policies: PolicyStore;
  readonly line: ReportLine;
  readonly lanes: Lanes;
  readonly alarms: Alarms;
  readonly statusStreams: ReadonlyMap<string, StatusStream>;
  now(): number;
  /** Ends what may not leave any more. */
  endAtOnce(): Promise<void>;
  /** Something changed: work on. */
  kick(): void;
}

const mostItems = 200;

export function createDesk(deps: DeskDeps): Desk {
  const { config, outbox, policies, line, lanes, now } = deps;

  const approversOf = (item: OutboxItem): readonly string[] => policies.find(item.policyDigest)?.policy.owner.approvers ?? [];
  const view = (item: OutboxItem): SharingReport => itemView(item, approversOf(item));
  const found = (id: string): OutboxItem => {
    const item = outbox.find(id);
    if (item === undefined) throw new DeskError('not_found', `Không có báo cáo ${id}`, `There is no report ${id}`);
    return item;
  };

  /** Changes one item; `decide` sees it as it is and throws DeskError when it may not be. */
  async function act(id: string, decide: (item: OutboxItem) => OutboxItem): Promise<SharingReport> {
    await outbox.change(() => ({ items: [decide(found(id))] }));
    deps.kick();
    return view(found(id));
  }

  /** The last day that is over, unfiltered, to show a policy on. */
  async function sample(): Promise<ReportContent | undefined> {
    const today = periodAt(now(), 'P1D', config.dayStart);
    try {
      return await line.sample(periodAt(Date.parse(today.from) - 1, 'P1D', config.dayStart));
    } catch (error) {
      deps.alarms.raise('figures_unavailable', {
        vi: `Chưa lấy được số liệu: ${reasonOf(error)}`,
        en: `Figures cannot be had: ${reasonOf(error)}`,
      });
      return undefined;
    }
  }

  async function policyViews(versions: readonly PolicyVersion[]): Promise<readonly SharingPolicyVersion[]> {
    const inForce = policies.inForce(now());
    const views = versions.map((version) => policyView(version, { inForce, rule: policies.rule(version) }));
    const content = views.some(({ state }) => state === 'waiting') ? await sample() : undefined;
    return views.map((each, index) => {
      const version = versions[index];
      if (each.state !== 'waiting' || content === undefined || version === undefined) return each;
      return { ...each, difference: policyDifference(inForce?.policy, version.policy, content) };
    });
  }

  async function policyOf(version: PolicyVersion): Promise<SharingPolicyVersion> {
    const [each] = await policyViews([version]);
    if (each === undefined) throw new Error('a version has no view');
    return each;
  }

  function sharingOf(recipient: Recipient, contract: ProductContract): 'on' | 'off' | 'revoked' {
    const version = policies.inForce(now());
    if (version === undefined || !activeProduct(version.policy, recipient.id, contract, now()).ok) return 'off';
    return policies.revocation(recipient.id, contract, version) === undefined ? 'on' : 'revoked';
  }

  function recipientView(recipient: Recipient, items: readonly OutboxItem[]): SharingRecipient {
    const { id, endpoint, legalBasis } = recipient;
    const { title } = config.recipients[id] ?? {};
    const status = lanes.sender(id)?.status() ?? {};
    const sharing = sharingOf(recipient, contractName);
    const counts = Object.fromEntries(reportStates.map((state) => [state, 0])) as Record<ReportState, number>;
    for (const item of items) if (item.recipient === id) counts[item.state]++;
    return {
      id,
      ...(title === undefined ? {} : { title }),
      adapter: endpoint.adapter,
      ...(endpoint.url === undefined ? {} : { url: endpoint.url }),
      legalBasis,
      sharing: sharing === 'on' && config.recipients[id] === undefined ? 'unconnected' : sharing,
      statusStream: config.statusStream.enabled ? sharingOf(recipient, machineStatusContract) : 'off',
      canRevoke: legalBasis !== 'statutory',
      counts,
      ...(status.downSinceMs === undefined ? {} : { downSince: iso(status.downSinceMs) }),
      ...(status.nextAttemptMs === undefined ? {} : { nextAttempt: iso(status.nextAttemptMs) }),
      ...(status.downReason === undefined ? {} : { downReason: status.downReason }),
    };
  }

  return {
    async overview() {
      const version = policies.inForce(now());
      const items = outbox.items();
      const recipients = (version?.policy.recipients ?? []).map((recipient) => recipientView(recipient, items));
      const views = policies.versions().map((each) => policyView(each, { inForce: version, rule: policies.rule(each) }));
      return {
        enterpriseId: config.enterpriseId,
        establishmentId: config.establishmentId,
        kid: deps.key.kid,
        publicKey: { ...jwkOf(deps.key.kid, deps.key.privateKey) },
        ...(version === undefined ? {} : { policy: { digest: version.digest, version: version.policy.version } }),
        policiesWaiting: views.filter(({ state }) => state === 'waiting').length,
        recipients,
        alarms: [
          ...deps.alarms.list(),
          ...recipients.flatMap(({ id }) => laneAlarms(id, lanes.sender(id)?.status() ?? {})),
          ...recipients.flatMap(({ id }) => conflictAlarm(id, items)),
          ...droppedAlarm(deps.statusStreams, now()),
        ],
        queueBytes: outbox.waitingBytes(),
        maxQueueBytes: config.maxQueueBytes,
      };
    },
    async items({ recipient, states, before = Number.POSITIVE_INFINITY, limit = 50 }: DeskPage) {
      const fitting = outbox
        .items()
        .filter(
          (item) =>
            (recipient === undefined || item.recipient === recipient) &&
            (states === undefined || states.includes(item.state)) &&
            item.order < before,
        )
        .sort((a, b) => b.order - a.order);
      const page = fitting.slice(0, Math.min(mostItems, Math.max(1, limit)));
      const last = page.at(-1);
      return { items: page.map(view), ...(page.length < fitting.length && last !== undefined ? { next: last.order } : {}) };
    },
    async item(id) {
      const item = found(id);
      const [bytes, source] = await Promise.all([outbox.files.read('bytes', id), readSource(outbox, id)]);
      return detailView(item, {
        approvers: approversOf(item),
        policy: policies.find(item.policyDigest)?.policy,
        ...(bytes === undefined ? {} : { text: Buffer.from(bytes).toString('utf8') }),
        ...(source === undefined ? {} : { content: source.content }),
      });
    },
    approve: (id, by, digest) =>
      act(id, (item) => {
        if (item.state !== 'held') throw wrongState(item, 'duyệt', 'be approved');
        if (item.digest !== digest) {
          throw new DeskError(
            'other_bytes',
            'Nội dung đã đổi: hãy xem lại rồi duyệt',
            'The bytes are other ones by now: look again, then approve',
          );
        }
        mayApprove(approversOf(item), item.approvals, by);
        const atMs = now();
        const approved = { ...item, approvals: [...item.approvals, { by, atMs }] };
        return approved.approvals.length >= item.approvalsNeeded ? moved(approved, 'approved', { atMs, by }) : approved;
      }),
    hold: (id, by) =>
      act(id, (item) => {
        if (item.state !== 'held' && item.state !== 'approved' && item.state !== 'sealed') throw wrongState(item, 'giữ lại', 'be held');
        return noted({ ...item, stoppedBy: by }, by, now(), { vi: 'Giữ lại', en: 'Held' });
      }),
    async release(id, by) {
      const item = found(id);
      if (item.state !== 'rejected' && item.state !== 'expired') {
        return act(id, (each) => {
          const { stoppedBy, ...rest } = each;
          if (stoppedBy === undefined) throw wrongState(each, 'thả ra', 'be released');
          return noted(rest, by, now(), { vi: 'Thôi giữ', en: 'Released' });
        });
      }
      await act(id, (each) => noted({ ...each, isRetryAsked: true }, by, now(), { vi: 'Lập lại', en: 'Make it again' }));
      const made = await line.consider(item.recipient, line.periodOf(item));
      deps.kick();
      return view(made ?? found(id));
    },
    async withdraw(id, by) {
      const item = found(id);
      const { base } = viewOf(outbox.series(item.recipient, item.seriesKey));
      if (base?.id !== id || !acceptedStates.includes(item.state) || item.status === 'withdrawn')
        throw wrongState(item, 'thu hồi', 'be withdrawn');
      const made = await line.withdraw(item.recipient, item, by);
      if (made === undefined) throw wrongState(item, 'thu hồi', 'be withdrawn');
      deps.kick();
      return view(made);
    },
    async revoke(recipient, product, by) {
      await policies.revoke(recipient, product, by, now());
      for (const stream of deps.statusStreams.values()) stream.check();
      await deps.endAtOnce();
      lanes.stopWhatMayNotLeave();
      deps.kick();
    },
    policies: () => policyViews(policies.versions()),
    async proposePolicy(yaml, by) {
      return policyOf(await policies.propose(yaml, by, now()));
    },
    async approvePolicy(digest, by) {
      const version = await policies.approve(digest, by, now());
      deps.kick();
      return policyOf(version);
    },
    async receipt(id) {
      const bytes = found(id).receipt === undefined ? undefined : await outbox.files.read('receipts', id);
      if (bytes === undefined) throw new DeskError('not_found', 'Chưa có biên nhận', 'There is no receipt yet');
      return { text: Buffer.from(bytes).toString('utf8') };
    },
  };
}

function wrongState(item: OutboxItem, vi: string, en: string): DeskError {
  return new DeskError(
    'wrong_state',
    `Báo cáo đang ở trạng thái ${item.state}: không thể ${vi}`,
    `The report is ${item.state}: it cannot ${en}`,
  );
}

/** A step of the history that is no move. */
function noted(item: OutboxItem, by: string, atMs: number, reason: { readonly vi: string; readonly en: string }): OutboxItem {
  return { ...item, history: [...item.history, { atMs, by, from: item.state, to: item.state, reason }] };
}

/** Reports that do not fit to what the recipient holds, and of which it is not proved that this plant sent it. */
function conflictAlarm(recipient: string, items: readonly OutboxItem[]): SharingAlarm[] {
  const refused = items.filter(
    (item) =>
      item.recipient === recipient &&
      item.state === 'rejected' &&
      item.problem?.by === 'platform' &&
      ['E114', 'E115', '409'].includes(item.problem.code),
  );
  const [first] = refused;
  if (first === undefined) return [];
  const words = { vi: first.problem?.message.vi ?? '', en: first.problem?.message.en ?? '' };
  const text = {
    vi: `${recipient} không nhận ${refused.length} báo cáo vì đang giữ bản khác (${words.vi}). Có thể một máy khác đang gửi bằng cùng khóa ký, hoặc bên nhận đã mất dữ liệu: hãy hỏi bên nhận trước khi bấm Lập lại`,
    en: `${recipient} refuses ${refused.length} reports because it holds other ones (${words.en}). Another computer may be reporting with the same signing key, or the recipient has lost data: ask the recipient before making them again`,
  };
  return [{ code: 'report_conflict', since: iso(first.history.at(-1)?.atMs ?? 0), recipient, text }];
}

function laneAlarms(recipient: string, status: SenderStatus): SharingAlarm[] {
  const { downSinceMs, downReason = '', badReceipt, unknownReport, withoutBytes } = status;
  const alarms: SharingAlarm[] = [];
  if (downSinceMs !== undefined) {
    const text = { vi: `Không gửi được tới ${recipient}: ${downReason}`, en: `${recipient} cannot be reached: ${downReason}` };
    alarms.push({ code: 'recipient_down', since: iso(downSinceMs), recipient, text });
  }
  if (withoutBytes !== undefined) {
    const { sinceMs, id } = withoutBytes;
    const text = {
      vi: `Nội dung của báo cáo ${id} không còn trên đĩa, không gửi được: khôi phục từ bản sao lưu, hoặc rút lại báo cáo`,
      en: `The bytes of the report ${id} are gone from the disk, it cannot be sent: restore them from a backup, or withdraw the report`,
    };
    alarms.push({ code: 'outbox_disk', since: iso(sinceMs), recipient, text });
  }
  if (badReceipt !== undefined) {
    const { sinceMs, reason } = badReceipt;
    const text = { vi: `Biên nhận của ${recipient} không hợp lệ: ${reason}`, en: `A receipt of ${recipient} is not valid: ${reason}` };
    alarms.push({ code: 'receipt_invalid', since: iso(sinceMs), recipient, text });
  }
  if (unknownReport !== undefined) {
    const { sinceMs, seriesKey, revision } = unknownReport;
    const text = {
      vi: `${recipient} gửi biên nhận cho báo cáo ${seriesKey}, bản ${revision}, không có ở đây: có phải một bản sao lưu đã được khôi phục, hoặc một máy khác đang gửi bằng cùng khóa ký?`,
      en: `${recipient} gave a receipt for the report ${seriesKey}, revision ${revision}, which is not here: was a backup put back, or does another computer report with the same signing key?`,
    };
    alarms.push({ code: 'report_conflict', since: iso(sinceMs), recipient, text });
  }
  return alarms;
}

function droppedAlarm(streams: ReadonlyMap<string, StatusStream>, atMs: number): SharingAlarm[] {
  return [...streams].flatMap(([recipient, stream]) => {
    const count = stream.dropped();
    const text = { vi: `${count} lần đổi trạng thái máy không được gửi`, en: `${count} changes of machine states were not sent` };
    return count === 0 ? [] : [{ code: 'status_dropped', since: iso(atMs), recipient, text }];
  });
}
