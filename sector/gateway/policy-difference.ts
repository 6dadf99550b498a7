import type { PolicyDifference } from '@nhip/core/wire/sharing';
import { canonicalJson } from '../contract/canonical.ts';
import type { Text } from '../contract/finding.ts';
import { segmentsOf, valueAt } from '../contract/pointer.ts';
import type { Recipient, SharedProduct, SharingPolicy } from '../contract/policy.ts';
import { applyPolicy } from '../contract/policy-filter.ts';
import { contractName, type ReportContent } from '../contract/report.ts';
import { patternOf, plainLabel } from './plain-words.ts';

/**
 * What another policy changes in what leaves, shown on an actual report of this plant rather than on the text of the policy.
 * For each recipient of either policy. `before` undefined: no policy holds, nothing leaves. `content` is a whole report, unfiltered.
 */
export function policyDifference(
  before: SharingPolicy | undefined,
  after: SharingPolicy,
  content: ReportContent,
): readonly PolicyDifference[] {
  const ids = [...new Set([...(before?.recipients ?? []), ...after.recipients].map(({ id }) => id))];
  return ids.map((recipient) => {
    const old = before === undefined ? nothing : outcomeOf(before, recipient, content);
    const next = outcomeOf(after, recipient, content);
    const added = [...next.values.keys()].filter((pattern) => !old.values.has(pattern));
    const removed = [...old.values.keys()].filter((pattern) => !next.values.has(pattern));
    const changed = [...next.values].filter(([pattern, value]) => old.values.has(pattern) && old.values.get(pattern) !== value);
    const words = [
      ...stops(old, next),
      ...sentence(added, 'Từ nay gửi thêm', 'From now on also leaves'),
      ...sentence(removed, 'Từ nay giữ lại nhà máy', 'From now on stays'),
      ...sentence(
        changed.map(([pattern]) => pattern),
        'Từ nay gửi ở dạng khác',
        'From now on leaves in another form',
      ),
      ...termWords(before, after, recipient),
    ];
    return { recipient, added, removed, changed: changed.map(([pattern]) => pattern), words };
  });
}

interface Outcome {
  /** Pattern → canonical text of all its values. */
  readonly values: ReadonlyMap<string, string>;
  readonly refusal?: Text;
}

const nothing: Outcome = { values: new Map() };

function outcomeOf(policy: SharingPolicy, recipient: string, content: ReportContent): Outcome {
  // The report may be older than the policy: the question is what a report made under it would show.
  const issuedAtMs = Math.max(Date.parse(content.issuedAt), Date.parse(policy.validFrom));
  const made = { ...content, issuedAt: new Date(issuedAtMs).toISOString() };
  const result = applyPolicy(made, policy, recipient);
  if (!result.ok) return { ...nothing, refusal: result.message };
  const values = new Map<string, unknown[]>();
  for (const pointer of result.left) {
    // The flags of the filter speak about the values; the values are compared themselves.
    if (pointer === '/issuedAt' || segmentsOf(pointer)[0] === 'quality') continue;
    const pattern = patternOf(pointer);
    values.set(pattern, [...(values.get(pattern) ?? []), valueAt(result.filtered, pointer)]);
  }
  return { values: new Map([...values].map(([pattern, list]) => [pattern, canonicalJson(list)])) };
}

function stops(old: Outcome, next: Outcome): Text[] {
  if (next.refusal === undefined) return [];
  const verb =
    old.values.size > 0 ? { vi: 'Không gửi gì nữa', en: 'Nothing leaves any more' } : { vi: 'Không gửi gì', en: 'Nothing leaves' };
  return [{ vi: `${verb.vi}: ${next.refusal.vi}`, en: `${verb.en}: ${next.refusal.en}` }];
}

function sentence(patterns: readonly string[], vi: string, en: string): Text[] {
  if (patterns.length === 0) return [];
  const words = patterns.map(plainLabel);
  return [{ vi: `${vi}: ${words.map((each) => each.vi).join('; ')}`, en: `${en}: ${words.map((each) => each.en).join('; ')}` }];
}

/** The terms beside the content: where it goes, on which ground, for what, how soon, and what may be done with it. */
function termWords(before: SharingPolicy | undefined, after: SharingPolicy, recipient: string): Text[] {
  const [old, next] = [termsOf(before, recipient), termsOf(after, recipient)];
  return Object.entries(termLabels).flatMap(([key, label]) => {
    const [was = '–', is = '–'] = [old[key], next[key]];
    return was === is ? [] : [{ vi: `${label.vi}: ${was} → ${is}`, en: `${label.en}: ${was} → ${is}` }];
  });
}

const termLabels: Readonly<Record<string, Text>> = {
  endpoint: { vi: 'Nơi nhận', en: 'Sent to' },
  legalBasis: { vi: 'Căn cứ pháp lý', en: 'Legal basis' },
  agreementId: { vi: 'Thỏa thuận chia sẻ', en: 'Agreement' },
  purposes: { vi: 'Mục đích sử dụng', en: 'Purposes' },
  minPeriod: { vi: 'Kỳ ngắn nhất', en: 'Shortest period' },
  minMachines: { vi: 'Số máy tối thiểu', en: 'Least machines' },
  delay: { vi: 'Gửi trễ', en: 'Delay' },
  holdForPreview: { vi: 'Thời gian xem trước', en: 'Preview' },
  onwardSharing: { vi: 'Chia sẻ tiếp', en: 'Onward sharing' },
  retention: { vi: 'Thời gian lưu giữ', en: 'Retention' },
  expires: { vi: 'Hết hạn', en: 'Expires' },
  statusStream: { vi: 'Trạng thái từng máy', en: 'States of single machines' },
};

function termsOf(policy: SharingPolicy | undefined, recipientId: string): Readonly<Record<string, string | undefined>> {
  const recipient: Recipient | undefined = policy?.recipients.find(({ id }) => id === recipientId);
  if (recipient === undefined) return {};
  const product: SharedProduct | undefined = recipient.products.find(({ contract }) => contract === contractName);
  const status = recipient.products.find(({ contract }) => contract === 'vn.sector.machine-status');
  return {
    endpoint: [recipient.endpoint.adapter, recipient.endpoint.url].filter((each) => each !== undefined).join(' '),
    legalBasis: recipient.legalBasis,
    agreementId: recipient.agreementId,
    purposes: recipient.purposes.join(', '),
    minPeriod: product?.minPeriod,
    minMachines: product?.minMachines?.toString(),
    delay: product?.delay,
    holdForPreview: product?.holdForPreview,
    onwardSharing: product?.onwardSharing,
    retention: product?.retention,
    expires: product?.expires ?? policy?.validTo,
    statusStream: status?.enabled === true ? 'on' : 'off',
  };
}
