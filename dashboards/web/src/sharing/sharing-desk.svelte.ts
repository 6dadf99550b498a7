import type { SharingOverview, SharingPolicyVersion, SharingReport, SharingReportDetail } from '@nhip/core/wire/sharing';
import { HttpProblem } from '../api/http.ts';
import { decideSharing, proposePolicy, type SharingDecision, sharingApi } from '../api/sharing.ts';
import { poll } from '../health/poll.ts';
import { locale } from '../i18n/locale.svelte.ts';
import { session } from '../session/session.svelte.ts';
import { newestUnder } from './shared-areas.ts';

const everyMs = 10_000;

export type DecisionProgress =
  | { readonly step: 'sent' | 'done' }
  | { readonly step: 'failed'; readonly status: number; readonly why: string };

/** What the gateway says of what leaves, asked while the page is open, and what people decide about it. */
export class SharingDesk {
  overview: SharingOverview | null = $state.raw(null);
  policies: readonly SharingPolicyVersion[] = $state.raw([]);
  reports: readonly SharingReport[] = $state.raw([]);
  hasMore = $state(false);
  /** The newest report to each recipient under the policy in force: they show what it means. */
  samples: readonly SharingReportDetail[] = $state.raw([]);
  /** The report that is being looked at. */
  report: SharingReportDetail | null = $state.raw(null);
  /** `absent`: this server has no gateway. */
  status: 'loading' | 'ready' | 'absent' | 'failed' = $state('loading');
  isReportMissing = $state(false);
  progress: DecisionProgress | null = $state.raw(null);
  #again: (() => void) | null = null;

  /** Asks now and again until the returned function is called. `id`: the report to look at. */
  start(id: string | null): () => void {
    if (this.report?.id !== id) this.report = null;
    this.isReportMissing = false;
    this.progress = null;
    const begin = () => poll((signal) => this.#load(id, signal), everyMs);
    let stop = begin();
    this.#again = () => {
      stop();
      stop = begin();
    };
    return () => {
      this.#again = null;
      stop();
    };
  }

  async decide(decision: SharingDecision): Promise<void> {
    this.progress = { step: 'sent' };
    try {
      await decideSharing(decision, locale.language);
      this.progress = { step: 'done' };
    } catch (err) {
      const status = err instanceof HttpProblem ? err.status : 0;
      this.progress = { step: 'failed', status, why: err instanceof Error ? err.message : String(err) };
      if (status === 401) void session.refresh();
    }
    this.#again?.();
  }

  /** Proposes a version of the policy; rejects with HttpProblem. What waits is asked for anew. */
  async propose(yaml: string): Promise<SharingPolicyVersion> {
    try {
      return await proposePolicy(yaml, locale.language);
    } catch (err) {
      if (err instanceof HttpProblem && err.status === 401) void session.refresh();
      throw err;
    } finally {
      this.#again?.();
    }
  }

  async #load(id: string | null, signal: AbortSignal): Promise<void> {
    try {
      const overview = await sharingApi.overview(signal);
      const [{ policies }, { reports, next }] = await Promise.all([sharingApi.policies(signal), sharingApi.reports(signal)]);
      this.overview = overview;
      this.policies = policies;
      this.reports = reports;
      this.hasMore = next !== null;
      this.status = 'ready';
    } catch (err) {
      if (signal.aborted) return;
      if (!(err instanceof HttpProblem)) throw err;
      this.status = err.status === 404 ? 'absent' : 'failed';
      return;
    }
    if (id === null) return this.#loadSamples(signal);
    try {
      this.report = await sharingApi.report(id, signal);
      this.isReportMissing = false;
    } catch (err) {
      if (signal.aborted) return;
      if (!(err instanceof HttpProblem)) throw err;
      this.isReportMissing = err.status === 404;
      if (err.status !== 404) this.status = 'failed';
    }
  }

  /** Asks only when other reports have become the newest. */
  async #loadSamples(signal: AbortSignal): Promise<void> {
    const wanted = newestUnder(this.reports, this.overview?.policy?.digest ?? '');
    if (wanted.map(({ id }) => id).join() === this.samples.map(({ id }) => id).join()) return;
    try {
      this.samples = await Promise.all(wanted.map(({ id }) => sharingApi.report(id, signal)));
    } catch (err) {
      // The page says the same without them, and asks again with its next turn.
      if (!signal.aborted && !(err instanceof HttpProblem)) throw err;
    }
  }
}
