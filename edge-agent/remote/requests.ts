import type { Clock } from '@nhip/core/process/env';
import type { Log } from '@nhip/core/process/log';
import { edgeCertificatesMetric, edgeConfigurationMetric } from '@nhip/core/wire/edge-control';
import type { NodeRequest } from '../session/node-command.ts';
import type { NodeText } from '../session/node-texts.ts';
import type { CertificateDesk } from './certificate-desk.ts';

/** Who takes configurations that were pushed through the server. */
export interface PushDesk {
  /** `EdgeConfiguration` as JSON. */
  text(): string;
  /** Takes a `SignedConfig` as JSON. What comes of it is in the next `text`. Never rejects. */
  take(json: string): Promise<void>;
}

/** What the server asks of this edge beside data, one request after the other, and what the edge tells of itself about it. */
export interface Requests {
  take(request: NodeRequest): void;
  texts(): Promise<readonly NodeText[]>;
}

/** Further ones are refused until these are done. */
const maxWaiting = 8;
/** A person decides and pushes; more than this comes from a program that tries. Each costs a line of the log and a message. */
const maxPerMinute = 30;

export function createRequests(deps: {
  readonly clock: Clock;
  readonly log: Log;
  /** undefined: no connection has servers to trust. */
  certificates(): Promise<CertificateDesk | undefined>;
  /** undefined: none is taken. */
  readonly pushes: PushDesk | undefined;
  /** Called when a request was granted or refused. */
  answered(): Promise<void>;
}): Requests {
  const { clock, log, pushes } = deps;
  let waiting = 0;
  let minuteMs = Number.NEGATIVE_INFINITY;
  let taken = 0;
  let queue: Promise<void> = Promise.resolve();

  async function grant({ kind, text }: NodeRequest): Promise<void> {
    if (kind === 'certificate') await (await deps.certificates())?.decide(text);
    else if (pushes !== undefined) await pushes.take(text);
    else log.warn({ audit: 'config' }, 'A pushed configuration was refused: remote.configKeyFile is not set');
    await deps.answered();
  }

  function hasPlace(): boolean {
    const nowMs = clock.monotonic();
    if (nowMs - minuteMs >= 60_000) {
      minuteMs = nowMs;
      taken = 0;
    }
    taken++;
    const told = { audit: 'requests', maxPerMinute };
    if (taken === maxPerMinute + 1) log.warn(told, 'Too many requests of the server: those of this minute are refused');
    if (taken > maxPerMinute) return false;
    if (waiting >= maxWaiting) log.warn({ audit: 'requests', maxWaiting }, 'A request of the server is refused: too many wait already');
    return waiting < maxWaiting;
  }

  return {
    take(request) {
      if (!hasPlace()) return;
      waiting++;
      queue = queue
        .then(() => grant(request))
        .catch((error: unknown) => log.error({ err: error, audit: request.kind }, 'A request of the server failed'))
        .finally(() => {
          waiting--;
        });
    },
    async texts() {
      const desk = await deps.certificates();
      return [
        ...(desk === undefined ? [] : [[edgeCertificatesMetric, await desk.text()] as const]),
        ...(pushes === undefined ? [] : [[edgeConfigurationMetric, pushes.text()] as const]),
      ];
    },
  };
}
