import type { CertificateDecision, EdgeCertificates } from '@nhip/core/wire/edge-control';
import { api } from '../api/endpoints.ts';
import { poll } from '../health/poll.ts';

const everyMs = 2000;
/** The edge answers at once when it is there. */
const answerWithinMs = 15_000;

/** What came of the decision that was made on this page. */
export type DecisionProgress =
  | { readonly step: 'sent'; readonly decision: CertificateDecision }
  | { readonly step: 'sendFailed' | 'noAnswer' }
  | { readonly step: 'refused'; readonly reason: 'takesNone' | 'commandsEnabled' | 'passwordShown' | 'failed' };

/** The certificates of one edge, asked for while a page shows them, and the decision about one of them. */
export class CertificateDesk {
  told: EdgeCertificates | null = $state.raw(null);
  /** The last answer did not come: what is shown is old. */
  hasFailed = $state(false);
  progress: DecisionProgress | null = $state.raw(null);
  readonly #edge: string;
  #lastAtMs: number | null = null;
  #sentAt = 0;

  constructor(edge: string) {
    this.#edge = edge;
  }

  /** Asks now and again until the returned function is called. */
  start(): () => void {
    return poll(async (signal) => {
      try {
        this.told = await api.certificates(this.#edge, signal);
        this.hasFailed = false;
        this.#look(this.told);
      } catch {
        this.hasFailed = !signal.aborted;
      }
    }, everyMs);
  }

  async decide(decision: CertificateDecision): Promise<void> {
    this.#lastAtMs = this.told?.last?.atMs ?? null;
    this.#sentAt = performance.now();
    this.progress = { step: 'sent', decision };
    try {
      await api.decide(this.#edge, decision);
    } catch {
      this.progress = { step: 'sendFailed' };
    }
  }

  /** The edge's answer to what was sent; anything else that it says is of an earlier decision, or of another person's. */
  #look({ last }: EdgeCertificates): void {
    if (this.progress?.step !== 'sent') return;
    const isAnswer = last !== null && last.atMs !== this.#lastAtMs && last.thumbprint === this.progress.decision.thumbprint;
    if (isAnswer) this.progress = last.reason === null ? null : { step: 'refused', reason: last.reason };
    else if (performance.now() - this.#sentAt > answerWithinMs) this.progress = { step: 'noAnswer' };
  }
}
