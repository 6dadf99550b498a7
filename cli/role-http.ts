import { createServer, type Server } from 'node:http';
import { ConfigError, RetryableError } from '@nhip/core/process/errors';
import { type MetricFamily, prometheusText, prometheusType } from '@nhip/live/http/prometheus';

export interface ListenAt {
  readonly host: string;
  readonly port: number;
}

/** Health and figures of a role that has no other HTTP: /health/live, /health/ready and /metrics. Reads only, tells no values of machines. */
export function createRoleHttp(
  at: ListenAt,
  deps: { problems(): readonly string[]; families(): readonly MetricFamily[] },
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
      case '/metrics':
        response.writeHead(200, { 'content-type': prometheusType }).end(prometheusText(deps.families()));
        return;
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
