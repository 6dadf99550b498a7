/**
 * What a server may ask of an edge beside data, and what the edge says about it. All of it is JSON text in metrics of the node:
 * requests come as NCMD, answers as NBIRTH and, when they change, as NDATA.
 *
 * An edge that was not told to take requests takes none. A pushed configuration is signed by a key that the server does not have.
 */

/** NBIRTH, NDATA: the certificates of the servers that the edge meets (`EdgeCertificates`). */
export const edgeCertificatesMetric = 'Edge/Certificates';
/** NBIRTH, NDATA: which configuration the edge runs (`EdgeConfiguration`). */
export const edgeConfigurationMetric = 'Edge/Configuration';
/** NCMD: `CertificateDecision`. */
export const certificateDecisionMetric = 'Certificate/Decision';
/** NCMD: a signed configuration (`SignedConfig`). */
export const configPushMetric = 'Config/Push';

/** UTF-8 bytes of the text in which an edge tells something of itself: with others it has to fit into a small birth. Entries are left out to stay below. */
export const maxEdgeTextBytes = 8000;
/** UTF-16 units of a signed configuration as JSON. */
export const maxSignedConfigLength = 196_608;

export type CertificateState = 'waiting' | 'trusted' | 'rejected';

export interface EdgeCertificate {
  /** SHA-256 of the certificate, 64 hex digits. */
  readonly thumbprint: string;
  readonly subject: string;
  /** From the certificate: what the server says it is. */
  readonly uri: string | null;
  /** Where the edge last met it, when that is known. */
  readonly endpoint: string | null;
  readonly fromMs: number;
  readonly toMs: number;
  readonly state: CertificateState;
  /** Since when it is in this state. */
  readonly sinceMs: number;
}

/**
 * Why a certificate may not be trusted from afar. Who trusts a wrong one lets the edge read from an impostor; it must not let the edge
 * write to one, nor show it a password.
 */
export type ApprovalProblem = 'commandsEnabled' | 'passwordShown';

export interface EdgeCertificates {
  /** The edge takes decisions from the server. */
  readonly takesDecisions: boolean;
  /** Why it takes none to trust one. */
  readonly approvalProblem: ApprovalProblem | null;
  /** Those that wait first. */
  readonly certificates: readonly EdgeCertificate[];
  /** How many there are beside them. */
  readonly more: number;
  /** What became of the last decision since the edge started. */
  readonly last: DecisionOutcome | null;
}

export interface DecisionOutcome {
  readonly thumbprint: string;
  readonly outcome: 'approved' | 'rejected' | 'refused';
  /** Why it was refused; `failed`: the edge's log says more. */
  readonly reason: 'takesNone' | ApprovalProblem | 'failed' | null;
  readonly atMs: number;
}

export interface CertificateDecision {
  readonly thumbprint: string;
  readonly decision: 'approve' | 'reject';
}

export interface EdgeConfiguration {
  /** `file`: the one on the gateway. `pushed`: its connections come from a pushed one. */
  readonly source: 'file' | 'pushed';
  /** Of the text whose connections are in use, 64 hex digits. */
  readonly sha256: string;
  /** Of the newest configuration that was ever accepted; 0 when none was. */
  readonly version: number;
  /** What became of the last push since the edge started. */
  readonly last: PushOutcome | null;
}

export interface PushOutcome {
  /** null when it could not be read. */
  readonly version: number | null;
  readonly outcome: 'applied' | 'refused';
  /** Why it was refused. */
  readonly reason: string | null;
  readonly atMs: number;
}

/** A configuration for one edge, signed by who is responsible for the machines. */
export interface SignedConfig {
  /** `<group>/<edge>`: for no other. */
  readonly edge: string;
  /** Above 0, and above that of every one before. */
  readonly version: number;
  /** YAML as in the edge's own file. */
  readonly config: string;
  /** Ed25519 over `signedBytes`, base64. */
  readonly signature: string;
}

/** What the signature covers. Neither the id of an edge nor a number has a line break, so no two documents have the same bytes. */
export function signedBytes({ edge, version, config }: Omit<SignedConfig, 'signature'>): Uint8Array {
  return new TextEncoder().encode(`nhip edge configuration\n${edge}\n${version}\n${config}`);
}
