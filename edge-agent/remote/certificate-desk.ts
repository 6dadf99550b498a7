import type { Clock } from '@nhip/core/process/env';
import type { Log } from '@nhip/core/process/log';
import {
  type ApprovalProblem,
  type CertificateDecision,
  type DecisionOutcome,
  type EdgeCertificate,
  type EdgeCertificates,
  maxEdgeTextBytes,
} from '@nhip/core/wire/edge-control';
import { z } from 'zod';
import type { SeenCertificate, ServerTrust } from '../driver.ts';

const decision = z.strictObject({
  thumbprint: z.string().regex(/^[0-9a-f]{64}$/, 'must be a SHA-256, 64 hex digits'),
  decision: z.enum(['approve', 'reject']),
}) satisfies z.ZodType<CertificateDecision>;

export interface CertificateDeskDeps {
  readonly clock: Clock;
  readonly log: Log;
  /** Folder of the drivers' state. */
  readonly stateDir: string;
  readonly trust: ServerTrust;
  /** Whether the configuration lets the server decide at all. */
  readonly takesDecisions: boolean;
  /** Why nothing may be approved from afar now; null: it may. */
  approvalProblem(): ApprovalProblem | null;
}

/** The certificates of the servers that this edge meets: tells which there are, and takes the decisions of a person at the server. */
export interface CertificateDesk {
  /** `EdgeCertificates` as JSON, at most `maxEdgeTextBytes`. Never rejects. */
  text(): Promise<string>;
  /** Takes a `CertificateDecision` as JSON. What comes of it is in the next `text`. Never rejects. */
  decide(json: string): Promise<void>;
}

/** A certificate chooses how long its names are. */
const maxNameLength = 200;
/** A server may show a new certificate at every attempt: reading thousands of them must not take the gateway's time. */
const restFactor = 50;

export function createCertificateDesk(deps: CertificateDeskDeps): CertificateDesk {
  const { clock, log, stateDir, trust, takesDecisions } = deps;
  let last: DecisionOutcome | null = null;
  let isUnreadable = false;
  let listed: readonly SeenCertificate[] = [];
  let listAgainMs = Number.NEGATIVE_INFINITY;
  let decisions = 0;

  async function list(): Promise<readonly SeenCertificate[]> {
    const startMs = clock.monotonic();
    if (startMs < listAgainMs) return listed;
    const before = decisions;
    try {
      listed = await trust.list(stateDir);
      isUnreadable = false;
    } catch (error) {
      if (!isUnreadable) log.warn({ err: error }, 'The certificates of servers cannot be listed');
      isUnreadable = true;
    }
    // A list that was under way while somebody decided may not show it: it must not be the last word for as long as the rest is.
    if (before === decisions) listAgainMs = startMs + restFactor * (clock.monotonic() - startMs);
    return listed;
  }

  /** Why it was refused; null when it was done. */
  async function apply({ thumbprint, decision: wanted }: CertificateDecision): Promise<DecisionOutcome['reason']> {
    if (!takesDecisions) return 'takesNone';
    const problem = wanted === 'approve' ? deps.approvalProblem() : null;
    if (problem !== null) return problem;
    try {
      await (wanted === 'approve' ? trust.trust : trust.reject)(stateDir, thumbprint);
      return null;
    } catch (error) {
      log.warn({ err: error, thumbprint }, 'A decision about a certificate could not be carried out');
      return 'failed';
    } finally {
      decisions++;
      listAgainMs = Number.NEGATIVE_INFINITY;
    }
  }

  return {
    async text() {
      const seen = await list();
      const approvalProblem = deps.approvalProblem();
      const textOf = (certificates: readonly EdgeCertificate[], more: number): string => {
        const told: EdgeCertificates = { takesDecisions, approvalProblem, certificates, more, last };
        return JSON.stringify(told);
      };
      // Only what has place is looked at: there may be thousands.
      const certificates: EdgeCertificate[] = [];
      let bytes = Buffer.byteLength(textOf([], seen.length));
      for (const certificate of seen) {
        const next = shown(certificate);
        bytes += Buffer.byteLength(JSON.stringify(next)) + 1;
        if (bytes > maxEdgeTextBytes) break;
        certificates.push(next);
      }
      return textOf(certificates, seen.length - certificates.length);
    },

    async decide(json) {
      const parsed = decision.safeParse(parseJson(json), { reportInput: false });
      if (!parsed.success) {
        log.warn({ audit: 'certificate' }, 'A decision about a certificate could not be read and is ignored');
        return;
      }
      const { thumbprint, decision: wanted } = parsed.data;
      const reason = await apply(parsed.data);
      const done = wanted === 'approve' ? 'approved' : 'rejected';
      last = { thumbprint, outcome: reason === null ? done : 'refused', reason, atMs: clock.now() };
      const facts = { audit: 'certificate', thumbprint, decision: wanted };
      if (reason === null) log.info(facts, 'The server decided about a certificate');
      else log.warn({ ...facts, reason }, 'A decision of the server about a certificate was refused');
    },
  };
}

function shown({
  thumbprintSha256,
  subject,
  applicationUri,
  endpoint,
  validFromMs,
  validToMs,
  state,
  sinceMs,
}: SeenCertificate): EdgeCertificate {
  return {
    thumbprint: thumbprintSha256,
    subject: subject.slice(0, maxNameLength),
    uri: applicationUri?.slice(0, maxNameLength) ?? null,
    endpoint: endpoint?.slice(0, maxNameLength) ?? null,
    fromMs: validFromMs,
    toMs: validToMs,
    state,
    sinceMs,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
