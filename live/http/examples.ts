import { kpiExamples } from './kpi-examples.ts';
import { sharingExamples } from './sharing-examples.ts';

/** Examples of the OpenAPI document, by operation id or type of a webhook; a test holds them against the schemas. */
export interface Example {
  readonly body?: unknown;
  readonly answer?: unknown;
}

const atMs = 1_795_150_800_000;
const next = 'WyJob2FsYWMvcHJlc3MvTTAxIl0';

const machine = {
  ...{ id: 'hoalac/press/M01', name: 'Máy dập 1', kind: 'Máy dập', line: 'L1', state: 'fault', reason: 'Kẹt phôi', since: atMs },
  ...{ connection: 'online', lastSample: atMs + 900, countGood: 812, countReject: 4, countIdeal: 960, ratePerHour: 118.5 },
  ...{ powerKw: 3.2, product: 'P-100', alarms: ['FeederJam'] },
};
const intervals = [
  { from: atMs, to: atMs + 600_000, state: 'running', reason: null },
  { from: atMs + 600_000, to: atMs + 660_000, state: 'fault', reason: 'Kẹt phôi' },
];
const delivery = { stored: 86_390, lost: 10, deadLettered: 0, completeness: 0.99988 };
const loss = {
  ...{ edge: 'hoalac/press', machine: machine.id, metric: 'Power/Active', reason: 'outboxQuota', detail: '', samples: 10 },
  ...{ stream: '0f'.repeat(16), seqFrom: 100, seqTo: 110, fromMs: atMs, toMs: atMs + 9000, atMs: atMs + 60_000 },
};
const thumbprint = 'ab'.repeat(32);
const user = { name: 'admin', role: 'admin' };
const backup = {
  ...{ id: '2026-11-20T18-00-00Z', folder: '/var/lib/nhip/backups/2026-11-20T18-00-00Z', startedMs: atMs, state: 'done' },
  ...{ doneBytes: 52_428_800, totalBytes: 52_428_800, problem: null },
};
const about = { machine: machine.id, name: machine.name, line: machine.line };
const timestamp = '2026-11-20T05:00:00.000Z';

export const examples: Readonly<Record<string, Example>> = {
  getSession: { answer: { user, canRead: true, demo: false, rememberDays: 90, grafanaUrl: 'https://grafana.example.vn' } },
  postSession: { body: { username: 'admin', password: 'correct horse battery' }, answer: { user } },
  getMachines: { answer: { machines: [machine], next } },
  getMachinesId: { answer: machine },
  getMachinesIdMetrics: { answer: { metrics: [{ name: 'Power/Active', v: 3.2, t: atMs, unit: 'kW', q: 192 }], next: null } },
  getMachinesIdStates: { answer: { intervals } },
  getStates: { answer: { machines: { [machine.id]: intervals }, next: null } },
  getHistory: { answer: { t: [atMs, atMs + 1000], v: [3.2, 3.3], q: [192, 192], next: null } },
  getLosses: { answer: { losses: [loss], next } },
  getCompleteness: {
    answer: {
      rows: [{ ...delivery, metric: 'Power/Active', t: atMs }],
      totals: delivery,
      reasons: [{ reason: 'outboxQuota', samples: 10 }],
      unattributed: 0,
      next: null,
    },
  },
  getEdgesGroupEdgeCertificates: {
    answer: {
      takesDecisions: true,
      approvalProblem: null,
      certificates: [
        {
          ...{ thumbprint, subject: 'CN=press', uri: 'urn:press:server', endpoint: 'opc.tcp://10.0.0.5:4840' },
          ...{ fromMs: atMs, toMs: atMs + 31_536_000_000, state: 'waiting', sinceMs: atMs },
        },
      ],
      more: 0,
      last: null,
    },
  },
  postEdgesGroupEdgeCertificatesDecision: { body: { thumbprint, decision: 'approve' }, answer: { sent: true } },
  getEdgesGroupEdgeConfig: {
    answer: { source: 'pushed', sha256: thumbprint, version: 3, last: { version: 3, outcome: 'applied', reason: null, atMs } },
  },
  postEdgesGroupEdgeConfig: {
    body: { edge: 'hoalac/press', version: 4, config: 'connections: []\n', signature: 'bm90IGEgc2lnbmF0dXJl' },
    answer: { sent: true },
  },
  getStats: {
    answer: {
      ...{ received: 1000, stored: 990, repeated: 8, deadLettered: 2, deadLetteredByReason: { notANumber: 2 }, lost: 0, lostByReason: {} },
      ...{ evicted: 0, lagMs: 40, logBytes: 1_048_576, logQuotaBytes: 2_147_483_648, logRecordsBehind: 0, storeDownSinceMs: null },
      ...{ storeProblem: null, furtherStores: [], logFullSinceMs: null },
    },
  },
  getHealthEdges: {
    answer: {
      edges: [
        {
          ...{ id: 'hoalac/press', online: true, since: atMs, lastSeen: atMs + 1000, lagMs: 35, outboxRecords: 0, backlogAtMs: null },
          devices: [{ id: machine.id, connection: 'online' }],
          ...{ delivery24h: delivery, lastLoss: { reason: 'outboxQuota', samples: 10, atMs }, certificatesWaiting: 0 },
        },
      ],
      next: null,
    },
  },
  getHealthLive: { answer: { live: true } },
  getHealthReady: { answer: { ready: true, problems: [] } },
  getBackups: { answer: { backups: [backup], next: null } },
  postBackups: { body: {}, answer: { ...backup, state: 'running', doneBytes: 0 } },
  getStore: {
    answer: {
      name: 'duckdb',
      durability: 'D3',
      upkeep: {
        ...{
          state: 'idle',
          waitingSlices: 0,
          waitingLateSamples: 0,
          lastEndMs: atMs,
          problem: null,
          slices: 1,
          lateSlices: 0,
          movedSamples: 4_000_000,
        },
        ...{ expiredFiles: 0, expiredSamples: 0, coldFiles: 12, coldSamples: 48_000_000, coldBytes: 96_000_000, coldToMs: atMs },
      },
    },
  },
  ...kpiExamples,
  ...sharingExamples,
  postDeadLettersReplay: { body: { reason: 'beforeBirth' }, answer: { replayed: 3, samples: 120, stored: 120, next: null } },
  'machine.state': {
    body: { type: 'machine.state', timestamp, data: { ...about, state: 'fault', previousState: 'running', reason: 'Kẹt phôi' } },
  },
  'machine.connection': {
    body: { type: 'machine.connection', timestamp, data: { ...about, connection: 'agentOffline', previousConnection: 'online' } },
  },
  'alarm.raised': { body: { type: 'alarm.raised', timestamp, data: { ...about, alarm: 'FeederJam' } } },
  'alarm.cleared': { body: { type: 'alarm.cleared', timestamp, data: { ...about, alarm: 'FeederJam' } } },
};
