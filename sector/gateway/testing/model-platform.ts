import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { canonicalJson } from '../../contract/canonical.ts';
import { digestOfBytes } from '../../contract/digest.ts';
import { generateKey, kidOf, type SigningKey } from '../../contract/keys.ts';
import { type Hash, inclusionProof, leafHash, rootOf } from '../../contract/merkle.ts';
import { digestText, type ReceiptEntry, receiptLeaf, signReceipt } from '../../contract/receipt.ts';
import { type ProductionReport, seriesKeyOf } from '../../contract/report.ts';

/** A platform on a real socket that knows only the rules of revisions: what it holds, it holds once. */
export interface ModelPlatform {
  readonly url: string;
  readonly key: SigningKey;
  readonly clientSecret: string;
  /** Bytes by series, revisions in order. */
  readonly series: ReadonlyMap<string, readonly Buffer[]>;
  /** Digest → how often it came. */
  readonly arrivals: ReadonlyMap<string, number>;
  /** Answers that must not happen when the sender keeps the rules. */
  readonly conflicts: readonly string[];
  readonly events: readonly Buffer[];
  /** Decides what goes wrong with the next request for reports. */
  trouble: (() => Trouble) | undefined;
  close(): Promise<void>;
}

/** `lost`: it takes the report and the answer gets lost. */
export type Trouble = 'none' | 'refuse-connection' | 'lost' | 'busy' | 'forged-receipt' | 'token-forgotten' | 'reject';

export async function startModelPlatform(): Promise<ModelPlatform> {
  const key: SigningKey = { kid: kidOf('model', 'k1'), privateKey: generateKey().privateKey };
  const stranger: SigningKey = { kid: key.kid, privateKey: generateKey().privateKey };
  const clientSecret = 'model-secret';
  const series = new Map<string, Buffer[]>();
  const receipts = new Map<string, Buffer>();
  const arrivals = new Map<string, number>();
  const conflicts: string[] = [];
  const events: Buffer[] = [];
  const leaves: Hash[] = [];
  let token = 'token-0';
  let tokens = 0;

  const receiptFor = (bytes: Buffer, report: ProductionReport, signer: SigningKey): Buffer => {
    const entry: ReceiptEntry = {
      contract: 'vn.sector.receipt',
      contractVersion: '1.0.0',
      receiptId: report.reportId,
      seriesKey: seriesKeyOf(report),
      reportId: report.reportId,
      revision: report.revision,
      digest: digestOfBytes(bytes),
      acceptedAt: report.issuedAt,
      warnings: [],
    };
    leaves.push(leafHash(receiptLeaf(entry)));
    const leafIndex = leaves.length - 1;
    const proof = inclusionProof(leaves, leafIndex).map(digestText);
    const log = { treeSize: leaves.length, leafIndex, rootHash: digestText(rootOf(leaves)), inclusionProof: proof };
    return Buffer.from(canonicalJson(signReceipt({ ...entry, log }, signer)), 'utf8');
  };

  function submit(bytes: Buffer): { readonly status: number; readonly body: Buffer } {
    const report = JSON.parse(bytes.toString('utf8')) as ProductionReport;
    const digest = digestOfBytes(bytes);
    arrivals.set(digest, (arrivals.get(digest) ?? 0) + 1);
    const known = receipts.get(digest);
    if (known !== undefined) return { status: 200, body: known };
    const held = series.get(seriesKeyOf(report)) ?? [];
    const last = held.at(-1);
    const isNext =
      report.revision === held.length + 1 && report.supersedes?.digest === (last === undefined ? undefined : digestOfBytes(last));
    if (!isNext) {
      conflicts.push(`${seriesKeyOf(report)} revision ${report.revision} over ${held.length}`);
      return { status: 409, body: problem('E114', '/revision') };
    }
    series.set(seriesKeyOf(report), [...held, bytes]);
    const receipt = receiptFor(bytes, report, key);
    receipts.set(digest, receipt);
    return { status: 201, body: receipt };
  }

  /** Reading back: revisions of a series, a report, its receipt. */
  function heldAt(path: string): Buffer | undefined {
    const key = /^\/v1\/series\/([^/]+)\/reports$/.exec(path)?.[1];
    if (key !== undefined) {
      const revisions = series.get(decodeURIComponent(key));
      const rows = revisions?.map((bytes) => ({ reportId: (JSON.parse(bytes.toString('utf8')) as ProductionReport).reportId }));
      return rows === undefined ? undefined : Buffer.from(JSON.stringify({ reports: rows }));
    }
    const [, id, receipt] = /^\/v1\/reports\/([^/]+)(\/receipt)?$/.exec(path) ?? [];
    const bytes = [...series.values()].flat().find((each) => (JSON.parse(each.toString('utf8')) as ProductionReport).reportId === id);
    return bytes === undefined || receipt === undefined ? bytes : receipts.get(digestOfBytes(bytes));
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const reply = (status: number, bytes: Buffer, headers: Record<string, string> = {}): void => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(bytes);
    };
    if (request.url === '/oauth/token') {
      if (new URLSearchParams(body.toString()).get('client_secret') !== clientSecret) return reply(401, Buffer.from('{}'));
      token = `token-${++tokens}`;
      return reply(200, Buffer.from(JSON.stringify({ access_token: token, token_type: 'Bearer', expires_in: 900 })));
    }
    const trouble = platform.trouble?.() ?? 'none';
    if (trouble === 'token-forgotten') token = 'none';
    if (request.headers.authorization !== `Bearer ${token}`) return reply(401, problem('401', ''));
    if (request.method === 'GET') {
      const known = heldAt(request.url ?? '');
      return known === undefined ? reply(404, problem('404', '')) : reply(200, known);
    }
    if (request.url === '/v1/machine-status/events') {
      events.push(body);
      return reply(202, Buffer.alloc(0));
    }
    if (trouble === 'refuse-connection') return void response.destroy();
    if (trouble === 'busy') return reply(503, problem('503', ''), { 'retry-after': '7' });
    if (trouble === 'reject') return reply(422, problem('E104', '/production/output/0'));
    const { status, body: receipt } = submit(body);
    if (trouble === 'lost') return void response.destroy();
    if (trouble === 'forged-receipt') return reply(200, receiptFor(body, JSON.parse(body.toString()) as ProductionReport, stranger));
    reply(status, receipt);
  }

  const server: Server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  const platform: ModelPlatform = {
    url,
    key,
    clientSecret,
    series,
    arrivals,
    conflicts,
    events,
    trouble: undefined,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return platform;
}

function problem(code: string, pointer: string): Buffer {
  const errors = [{ code, severity: 'error', pointer, message: { vi: 'Bị từ chối', en: 'Refused' } }];
  return Buffer.from(JSON.stringify({ type: 'about:blank', title: code, status: 400, detail: code, errors }), 'utf8');
}
