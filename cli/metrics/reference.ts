import type { LogStats } from '@nhip/core/log/log-bus';
import type { AgentHealth } from '@nhip/edge-agent/agent';
import type { MetricFamily } from '@nhip/live/http/prometheus';
import { kpiFamilies } from '@nhip/live/kpi/kpi-metrics';
import { createLiveMetrics } from '@nhip/live/live-metrics';
import { upkeepFamilies } from '@nhip/live/upkeep-metrics';
import { webhookFamilies } from '@nhip/live/webhooks/webhooks';
import { brokerFamilies, logFamilies, logQuotaFamilies } from './broker-metrics.ts';
import { edgeFamilies } from './edge-metrics.ts';
import { deadLetterFamilies, requestFamilies } from './ingest-metrics.ts';

/** What each label can be, and so how many series there can be. A label that is not here does not belong into a metric. */
const labels: Readonly<Record<string, string>> = {
  reason: 'a fixed list of reasons',
  code: 'a fixed list of error codes',
  store: 'names of the configured further stores, at most 4',
  online: 'true, false',
  edge: 'edge agents with a login, at most 500',
  webhook: 'names of the configured webhooks, at most 20',
  outcome: 'a fixed list of outcomes',
  transport: 'sse, socket',
  route: 'routes of the API',
  status: '2xx, 3xx, 4xx, 5xx',
  connection: 'ids of the connections in the configuration of the agent',
  driver: 'names of drivers',
  state: 'a fixed list of states',
  cause: 'correction, plantModel, lateData',
};

const noLog: LogStats = {
  ...{ firstIndex: 0, nextIndex: 0, bytes: 0, quotaBytes: 0, fullSinceMs: null, segments: 0 },
  ...{ evictedRecords: 0, cutBytes: 0, quarantinedRecords: 0, syncs: 0 },
};

/** A process of each kind in which everything that can be labelled is there once. */
function exampleFamilies(): Readonly<Record<string, readonly MetricFamily[]>> {
  const problem = { code: 'store.diskFull', text: '' };
  const outlet = { viewers: 0, slow: 0, framesSent: 0, snapshotsSent: 0, dropped: 0 };
  const live = createLiveMetrics();
  live.answered('/api/v1/machines', 200);
  const liveFigures = {
    pipeline: {
      ...{ received: 0, stored: 0, repeated: 0, deadLettered: 0, deadLetteredByReason: { notANumber: 0 }, lost: 0, lostByReason: {} },
      ...{ evicted: 0, lagMs: 0, logBytes: 0, logQuotaBytes: 0, logRecordsBehind: 0, storeDownSinceMs: null, logFullSinceMs: null },
      storeProblem: problem,
      furtherStores: [
        {
          name: 's',
          type: 'influxdb',
          downSinceMs: 0,
          problem,
          recordsBehind: 0,
          lagMs: 0,
          stored: 0,
          leftOut: 0,
          missedRecords: 0,
          upkeepProblem: null,
        },
      ],
    },
    edges: [{ id: 'g/e', online: true, outboxRecords: 0, since: 0, lastSeen: 0, lagMs: 0, backlogAtMs: null, devices: [] }],
    losses: [
      { edge: 'g/e', reason: 'outboxQuota' as const, samples: 1, lastAtMs: 0 },
      { edge: 'g/e', reason: 'deadLettered' as const, samples: 1, lastAtMs: 0 },
    ],
    feed: { records: 0, samples: 0, isCaughtUp: true, isBroken: false },
    outlets: { sse: outlet, socket: outlet },
    rateLimited: 0,
    queries: { running: 0, waiting: 0, refused: 0 },
  };
  const upkeep = {
    ...{ waitingSlices: 0, waitingLateSamples: 0, slices: 0, lateSlices: 0, movedSamples: 0, expiredFiles: 0, expiredSamples: 0 },
    ...{ coldFiles: 0, coldSamples: 0, coldBytes: 0, problem: null },
  };
  const agent: AgentHealth = {
    session: { isOnline: true, connects: 0, rebirths: 0 },
    ...{ pendingRecords: 0, pendingLosses: 0, recorded: 0, lost: 0, published: 0, inFlight: 0, heldRecords: 0, outbox: noLog },
    clock: { state: 'synced', steps: 0 },
    connections: [
      {
        ...{ id: 'plc', driver: 'modbus', state: 'connected', reason: null, devices: [], cycleMs: { last: 0, max: 0 } },
        counters: { polls: 0, failures: 0, overruns: 0, reconnects: 0, samples: 0 },
      },
    ],
  };
  const ledger = { machines: 0, segments: 0, restated: { correction: 0, plantModel: 0, lateData: 0 } };
  const broker = { connections: 0, pending: 0, received: 0, waiting: 0, unkept: 0, refused: 0, oversized: 0, authFailed: 0, crowdedOut: 0 };
  const hook = { delivered: 0, givenUp: 0, dropped: 0, failedAttempts: 0, waiting: 0, isFailing: false };
  return {
    '`nhip server` and `nhip live`: /metrics, with a login': [
      ...live.families(liveFigures as Parameters<typeof live.families>[0]),
      ...kpiFamilies(ledger, { frozenDays: 0, behindMs: 0 }, 0),
    ],
    '`nhip server` and `nhip live` with webhooks, too': webhookFamilies([{ name: 'w', stats: () => hook }]),
    '`nhip server` with DuckDB, too': upkeepFamilies(upkeep as Parameters<typeof upkeepFamilies>[0]),
    '`nhip server` and `nhip broker --http-port`': [...brokerFamilies(broker), ...logFamilies(noLog)],
    '`nhip broker --http-port` alone': logQuotaFamilies(noLog),
    '`nhip server` and `nhip ingest --http-port`': [
      ...requestFamilies({ rebirthsRequested: 0, resendsRequested: 0 }),
      ...deadLetterFamilies(noLog),
    ],
    '`nhip edge run --http-port`': edgeFamilies(agent, 0),
  };
}

/** docs/reference/metrics.md. Throws when a metric has a label whose values nobody has bounded. */
export function metricsReference(): string {
  const sections = Object.entries(exampleFamilies()).map(([title, families]) => {
    const rows = families.map(({ name, type, help, samples }) => {
      const used = Object.keys(samples[0]?.labels ?? {});
      for (const label of used)
        if (!Object.hasOwn(labels, label)) throw new Error(`${name}: nobody has said what its label ${label} can be`);
      return `| \`${name}\` | ${type} | ${used.join(', ') || '–'} | ${help} |`;
    });
    return [`## ${title}`, '', '| Metric | Type | Labels | Meaning |', '|---|---|---|---|', ...rows, ''].join('\n');
  });
  const bounds = Object.entries(labels).map(([label, values]) => `| \`${label}\` | ${values} |`);
  return [
    '# Metrics',
    '',
    'Generated from the code by `npm run gen`. Prometheus text format; counters count since the process started.',
    'Of its own, `nhip ingest --http-port` also has those metrics of the data path that begin with `nhip_received`, `nhip_stored`, `nhip_repeated`, `nhip_dead_lettered`, `nhip_lost`, `nhip_store` and `nhip_further_store`: ask it or live, not both.',
    '',
    ...sections,
    '## What labels can be',
    '',
    '| Label | Values |',
    '|---|---|',
    ...bounds,
    '',
  ].join('\n');
}
