import type { Example } from './examples.ts';

const digest = `sha-256:${'9f86d081'.repeat(8)}`;
const policy = { digest: `sha-256:${'2c26b46b'.repeat(8)}`, version: 3 };
const people = { approvals: [{ by: 'lan.tran', at: '2026-11-21T02:10:00.000Z' }], approvalsNeeded: 2, approvers: ['lan.tran', 'minh.le'] };

const report = {
  ...{ id: '01936f2e-8f00-7cc0-98c4-dc0c0c07398f', recipient: 'vn-moit', revision: 1, status: 'final', state: 'held' },
  period: { from: '2026-11-20T06:00:00+07:00', to: '2026-11-21T06:00:00+07:00', duration: 'P1D' },
  ...{ madeAt: '2026-11-21T01:00:00.000Z', dueAt: '2026-11-21T03:00:00.000Z', digest, bytes: 2841, policy, ...people, warnings: [] },
};
const line = {
  pointer: '/energy/0/quantity',
  label: { vi: 'Điện: lượng tiêu thụ', en: 'Electricity: used' },
  value: { vi: '4.120 kilôoát giờ', en: '4,120 kilowatt hours' },
};
const kept = {
  pointer: '/production/kpi/ttrSeconds',
  label: { vi: 'Tổng thời gian khắc phục', en: 'Time to repair, total' },
  value: { vi: '5.400 giây máy (1,5 giờ)', en: '5,400 machine-seconds (1.5 h)' },
};
const version = {
  ...{
    ...policy,
    policyId: 'hoalac-sharing',
    state: 'waiting',
    validFrom: '2026-11-22T00:00:00+07:00',
    yaml: 'policyId: hoalac-sharing\n',
  },
  ...{ proposedBy: 'lan.tran', proposedAt: '2026-11-21T02:00:00.000Z', ...people },
  difference: [
    {
      ...{ recipient: 'vn-moit', added: ['/energy/*/quantity'], removed: [], changed: [] },
      words: [{ vi: 'Từ nay gửi thêm: Năng lượng: lượng tiêu thụ', en: 'From now on also leaves: Energy: used' }],
    },
  ],
};
const counts = {
  ...{ built: 0, filtered: 0, held: 1, approved: 0, sealed: 0, sending: 0 },
  ...{ accepted: 12, duplicate: 0, rejected: 0, expired: 0, superseded: 1, withdrawn: 0 },
};
const overview = {
  ...{ enterpriseId: '0101234567', establishmentId: 'HL-01', kid: 'hoalac-2026', publicKey: { kty: 'OKP', crv: 'Ed25519', x: '…' } },
  ...{ policy, policiesWaiting: 1, alarms: [], queueBytes: 2841, maxQueueBytes: 268_435_456 },
  recipients: [
    {
      ...{ id: 'vn-moit', adapter: 'https', url: 'https://platform.example.gov.vn/v1', legalBasis: 'contract' },
      ...{ sharing: 'on', statusStream: 'off', canRevoke: true, counts },
    },
  ],
};

export const sharingExamples: Readonly<Record<string, Example>> = {
  getSharing: { answer: overview },
  getSharingReports: { answer: { reports: [report], next: null } },
  getSharingReportsId: {
    answer: {
      ...report,
      ...{ text: '{"contract":"vn.sector.production-report"}', leaves: [line], stays: [kept], changed: ['/energy/0/quantity'] },
      history: [{ at: '2026-11-21T01:00:00.000Z', by: 'gateway', from: 'filtered', to: 'held' }],
    },
  },
  getSharingReportsIdReceipt: { answer: { receiptId: '01936f2f-0000-7000-8000-000000000000', digest, leafIndex: 4711 } },
  postSharingReportsIdApprove: { body: { digest }, answer: { ...report, state: 'approved' } },
  postSharingReportsIdHold: { body: {}, answer: { ...report, stoppedBy: 'lan.tran' } },
  postSharingReportsIdRelease: { body: {}, answer: report },
  postSharingReportsIdWithdraw: { body: {}, answer: { ...report, revision: 2, status: 'withdrawn' } },
  postSharingRecipientsRecipientRevoke: { body: { product: 'vn.sector.machine-status' }, answer: overview },
  getSharingPolicies: { answer: { policies: [version], next: null } },
  postSharingPolicies: { body: { yaml: 'policyId: hoalac-sharing\n' }, answer: version },
  postSharingPoliciesDigestApprove: { body: {}, answer: version },
};
