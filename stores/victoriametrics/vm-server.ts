import { PermanentError, RetryableError } from '@nhip/core/process/errors';
import type { HttpAnswer, HttpClient } from '../influxdb/http-client.ts';
import type { LateServer, ServerLook } from '../late/late-store.ts';

interface VmLook extends ServerLook {
  /** Older samples are dropped without a word; undefined: not known. */
  readonly retentionMs: number | undefined;
}

export interface VmServer extends LateServer<VmLook> {
  /**
   * Rejects with RetryableError `store.starting` while its process is so young that its follower could begin in the same second, and with
   * PermanentError when it is no VictoriaMetrics, or none that a sample may be sent to twice.
   */
  look(): Promise<VmLook>;
  /**
   * Resolves when the server has answered for the points, which it has in memory then. It never refuses a point: what it does not
   * understand it skips with a 204. Rejects with RetryableError; sending the same again is harmless.
   */
  readonly write: LateServer<VmLook>['write'];
}

const dayMs = 86_400_000;
const youngS = 2;
const maxHintLength = 300;

/** Speaks HTTP with a VictoriaMetrics of one node: `/api/v2/write` (204 since 1.79; `/write` is the same), `/metrics`. */
export function createVmServer(http: HttpClient, options: { readonly url: string; readonly requestTimeoutMs: number }): VmServer {
  const { url, requestTimeoutMs: timeoutMs } = options;
  const where = `VictoriaMetrics at ${url}`;

  function refuse(answer: HttpAnswer): never {
    const said = answer.text.replace(/\s+/g, ' ').trim().slice(0, maxHintLength);
    if (answer.status === 401 || answer.status === 403)
      throw new PermanentError('store.denied', `${where} does not let us in (${answer.status}): check username and passwordFile`);
    if (said.includes('read-only mode')) {
      throw new RetryableError(
        'store.diskFull',
        `${where} takes nothing because its disk is nearly full: free space, it goes on by itself (-storage.minFreeDiskSpaceBytes)`,
      );
    }
    throw new RetryableError('store.busy', `${where} answered ${answer.status} ${said}`);
  }

  return {
    async look() {
      const answer = await http.get('/metrics', { timeoutMs });
      if (answer.status !== 200) refuse(answer);
      const startedS = sampleOf(answer.text, 'process_start_time_seconds');
      const uptimeS = sampleOf(answer.text, 'vm_app_uptime_seconds');
      if (startedS === undefined || uptimeS === undefined) {
        throw new PermanentError(
          'store.notVictoriametrics',
          `${url}/metrics is not that of a VictoriaMetrics of one node: correct the url; the cluster version is not supported`,
        );
      }
      const dedup = flagOf(answer.text, 'dedup.minScrapeInterval');
      if (dedup !== '1ms') {
        throw new PermanentError(
          'store.doubles',
          `${where} would keep samples twice that are sent twice: start it with -dedup.minScrapeInterval=1ms (it is ${dedup ?? 'not known'})`,
        );
      }
      if (uptimeS < youngS) throw new RetryableError('store.starting', `${where} was started just now`, { retryAfterMs: 1000 });
      // Whole s since 1970 at which it began.
      return { process: String(startedS), retentionMs: retentionMs(flagOf(answer.text, 'retentionPeriod')) };
    },

    async write(_place, body) {
      const answer = await http.post('/api/v2/write?precision=ms', body, { timeoutMs, contentType: 'text/plain; charset=utf-8' });
      return answer.status === 204 ? { kind: 'stored' } : refuse(answer);
    },
  };
}

/** The sample of a series without labels, in the Prometheus text format. */
function sampleOf(metrics: string, name: string): number | undefined {
  const [, value] = new RegExp(`^${name} (\\S+)$`, 'm').exec(metrics) ?? [];
  return value === undefined ? undefined : Number(value);
}

function flagOf(metrics: string, name: string): string | undefined {
  const [, value] = new RegExp(`^flag\\{name="${name.replaceAll('.', '\\.')}", value="([^"]*)"`, 'm').exec(metrics) ?? [];
  return value;
}

const unitMs: Readonly<Record<string, number>> = { '': 31 * dayMs, h: dayMs / 24, d: dayMs, w: 7 * dayMs, y: 365 * dayMs };

/** `-retentionPeriod`: months of 31 days without a unit. */
function retentionMs(flag: string | undefined): number | undefined {
  const [, count, unit = ''] = /^(\d+(?:\.\d+)?)([a-z]?)$/.exec(flag ?? '') ?? [];
  const each = unitMs[unit];
  return count === undefined || each === undefined ? undefined : Number(count) * each;
}
