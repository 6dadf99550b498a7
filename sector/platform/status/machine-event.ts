import { type AgreementRecord, agreementProblem } from '../../contract/check-sharing.ts';
import type { Text } from '../../contract/finding.ts';
import type { MachineStatus } from '../../contract/report.ts';
import { schemaCheck, schemas } from '../../contract/schema-check.ts';
import { schemaFindings } from '../../contract/schema-findings.ts';

/** A state of a machine that may be kept: it fits the contract and comes from a plant of its sender. */
export interface MachineEvent {
  readonly establishmentId: string;
  /** Unique within the establishment (CloudEvents: `source` and `id`). */
  readonly eventId: string;
  readonly data: MachineStatus;
}

export type EventRefusalCode = 'SCHEMA' | 'foreign' | 'establishment' | 'future' | 'tooOld' | 'agreement' | 'otherContent';

/** Why one event of a batch is not kept. */
export interface EventRefusal {
  readonly code: EventRefusalCode;
  /** JSON Pointer into the event. */
  readonly pointer: string;
  readonly message: Text;
}

export type EventVerdict = { readonly ok: true; readonly event: MachineEvent } | { readonly ok: false; readonly refusal: EventRefusal };

export interface EventContext {
  readonly enterpriseId: string;
  readonly establishmentIds: ReadonlySet<string>;
  /** Of the enterprise, by id: the consent that each event names must be one of them. */
  readonly agreements: ReadonlyMap<string, AgreementRecord>;
  readonly nowMs: number;
  /** Older events would be deleted at once. */
  readonly keepMs: number;
}

/** Clocks of factories differ from ours by less. */
const clockSkewMs = 60_000;
const sourceForm = '^urn:vn:tax:([0-9]{10}(?:-[0-9]{3})?):([A-Za-z0-9._-]{1,64})$';

/**
 * A CloudEvents 1.0 event around the machine status of the contract, closed like it. `$defs` are written out, so that it may stand
 * anywhere in another document.
 */
export const eventSchema = {
  title: 'Machine status event (CloudEvents 1.0)',
  type: 'object',
  additionalProperties: false,
  required: ['specversion', 'id', 'source', 'type', 'time', 'datacontenttype', 'data'],
  properties: {
    specversion: { const: '1.0' },
    id: {
      type: 'string',
      pattern: '^[A-Za-z0-9._:-]{1,100}$',
      description: 'Unique within the source; the same event again changes nothing',
    },
    source: { type: 'string', pattern: sourceForm, description: 'urn:vn:tax:<tax code>:<establishment>' },
    type: { const: 'vn.sector.machine-status.v1' },
    subject: { type: 'string', pattern: schemas.machineStatus.properties.machineRef.pattern, description: 'machineRef again' },
    time: schemas.machineStatus.$defs.moment,
    datacontenttype: { const: 'application/json' },
    dataschema: { const: schemas.machineStatus.$id },
    data: statusSchema(),
  },
} as const;

const checkEvent = schemaCheck(eventSchema);

/** Judges one element of a batch. Never throws. */
export function judgeEvent(item: unknown, context: EventContext): EventVerdict {
  const { enterpriseId, establishmentIds, nowMs, keepMs } = context;
  const [finding] = schemaFindings(checkEvent(item));
  if (finding !== undefined) return refused('SCHEMA', finding.pointer, finding.message.vi, finding.message.en);
  // The schema fits: that is the proof of the type.
  const { id, source, time, data } = item as { id: string; source: string; time: string; data: MachineStatus };
  const [, owner = '', establishmentId = ''] = new RegExp(sourceForm).exec(source) ?? [];
  if (owner !== enterpriseId) return refused('foreign', '/source', 'Sự kiện của doanh nghiệp khác', 'The event is of another enterprise');
  if (!establishmentIds.has(establishmentId)) {
    return refused('establishment', '/source', 'Cơ sở chưa được đăng ký', 'The establishment is not registered');
  }
  const sinceMs = Date.parse(data.since);
  // Negated, for a leap second is no number.
  if (!(Math.max(sinceMs, Date.parse(time)) <= nowMs + clockSkewMs)) {
    return refused('future', '/time', 'Thời điểm ở tương lai: xem lại đồng hồ', 'It is in the future: look at the clock');
  }
  if (sinceMs <= nowMs - keepMs) {
    return refused('tooOld', '/data/since', 'Quá cũ: đã qua thời hạn lưu giữ', 'Too old: the time for which states are kept is over');
  }
  const use = { product: 'vn.sector.machine-status', fromMs: sinceMs, toMs: sinceMs, knownSinceMs: nowMs } as const;
  const problem = agreementProblem(context.agreements.get(data.consentId), use);
  if (problem !== undefined) return refused('agreement', '/data/consentId', problem.vi, problem.en);
  return { ok: true, event: { establishmentId, eventId: id, data } };
}

export const otherContent: EventRefusal = {
  code: 'otherContent',
  pointer: '/id',
  message: { vi: 'id này đã dùng cho một sự kiện có nội dung khác', en: 'This id belongs to an event with another content' },
};

function refused(code: EventRefusalCode, pointer: string, vi: string, en: string): EventVerdict {
  return { ok: false, refusal: { code, pointer, message: { vi, en } } };
}

function statusSchema(): object {
  const { $schema, $id, $defs, properties, ...rest } = schemas.machineStatus;
  return { ...rest, properties: { ...properties, since: $defs.moment, consentId: $defs.urn } };
}
