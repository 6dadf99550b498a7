import { createServer, type Server } from 'node:http';
import { ConfigError, RetryableError } from '@nhip/core/process/errors';
import { type MetricFamily, prometheusText, prometheusType } from '@nhip/live/http/prometheus';
import { furtherStoreFamilies } from '@nhip/live/pipeline-metrics';
import type { IngestStatus } from './role-status.ts';

export interface ListenAt {
  readonly host: string;
  readonly port: number;
}

/** Health and figures of a role that has no other HTTP: /health/live, /health/ready and /metrics. Reads only, tells no values of machines. */
export function createRoleHttp(
  at: ListenAt,
  deps: { problems(): readonly string[]; status(): IngestStatus | undefined },
): { start(): Promise<number>; stop(): Promise<void> } {
  const server: Server = createServer({ requestTimeout: 5000 }, (request, response) => {
    const json = (code: number, body: object): void =>
      void response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (request.method !== 'GET') return json(405, { title: 'GET only' });
    switch (request.url) {
      case '/health/live':
        return json(200, { live: true });
      case '/health/ready': {
        const problems = deps.problems();
        return json(problems.length === 0 ? 200 : 503, { ready: problems.length === 0, problems });
      }
      case '/metrics': {
        const status = deps.status();
        response.writeHead(200, { 'content-type': prometheusType }).end(prometheusText(status === undefined ? [] : families(status)));
        return;
      }
      default:
        return json(404, { title: 'There is /health/live, /health/ready and /metrics' });
    }
  });
  return {
    start: () =>
      new Promise((resolve, reject) => {
        server.once('error', (error: NodeJS.ErrnoException) => {
          const isTaken = error.code === 'EADDRINUSE';
          const advice = 'choose another with --http-port';
          if (isTaken)
            reject(new RetryableError('role.portInUse', `Port ${at.port} on ${at.host} is in use: ${advice}.`, { cause: error }));
          else reject(new ConfigError('--http-port', [`${at.host}:${at.port} cannot be listened on (${error.code}): ${advice}`]));
        });
        server.listen(at.port, at.host, () => {
          const address = server.address();
          resolve(typeof address === 'object' && address !== null ? address.port : at.port);
        });
      }),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function families(status: IngestStatus): readonly MetricFamily[] {
  const counter = (name: string, help: string, value: number): MetricFamily => ({ name, help, type: 'counter', samples: [{ value }] });
  const byReason = (name: string, help: string, counts: Readonly<Record<string, number>>): MetricFamily => ({
    name,
    help,
    type: 'counter',
    samples: Object.entries(counts).map(([reason, value]) => ({ labels: { reason }, value })),
  });
  return [
    counter('nhip_received_samples_total', 'Samples received', status.received),
    counter('nhip_stored_samples_total', 'Samples stored', status.stored),
    counter('nhip_repeated_samples_total', 'Samples that had been stored before', status.repeated),
    byReason('nhip_dead_lettered_samples_total', 'Samples kept as dead letters, by reason', status.deadLetteredByReason),
    byReason('nhip_lost_samples_total', 'Samples that the server learned were lost, by reason', status.lostByReason),
    {
      name: 'nhip_store_lag_ms',
      help: 'Age of the oldest record that is not stored yet',
      type: 'gauge',
      samples: [{ value: status.lagMs }],
    },
    {
      name: 'nhip_store_up',
      help: '1 while the store takes what it gets',
      type: 'gauge',
      samples: [{ value: status.storeDownSinceMs === null ? 1 : 0 }],
    },
    {
      name: 'nhip_store_problem',
      help: 'Why the store takes nothing, by the code of its error; without it nothing is wrong',
      type: 'gauge',
      samples: status.storeProblem === null ? [] : [{ labels: { code: status.storeProblem.code }, value: 1 }],
    },
    ...furtherStoreFamilies(status.furtherStores),
  ];
}
