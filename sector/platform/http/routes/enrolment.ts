import { PermanentError } from '@nhip/core/process/errors';
import { HttpProblem } from '@nhip/core/process/http-problem';
import { z } from 'zod';
import { jwkOf, kidOf, type PublicJwk, publicKeyFromJwk } from '../../../contract/keys.ts';
import type { SignatureBlock } from '../../../contract/report.ts';
import { verifyDetached } from '../../../contract/signature.ts';
import type { FailureLimit } from '../../auth/failure-limit.ts';
import { isScope, scopes } from '../../auth/scope.ts';
import type { Database } from '../../database.ts';
import { type Credentials, tokenLifeMs } from '../../store/credentials.ts';
import type { FactoryKeys } from '../../store/factory-keys.ts';
import type { CertificateRule } from '../../tls/certificate-rule.ts';
import { addCertificate } from '../../tls/client-certificates.ts';
import { type Caller, type Route, route } from '../route.ts';
import { safeText, signatureBlock } from '../schemas.ts';

export interface EnrolmentDeps {
  readonly database: Database;
  readonly keys: FactoryKeys;
  readonly credentials: Credentials;
  readonly failures: FailureLimit;
  readonly platformJwk: PublicJwk;
  readonly certificates: Pick<CertificateRule, 'fits'>;
  now(): number;
  /** Called when keys of an enterprise changed. */
  changed(): void;
}

const secret = safeText(200).min(1);

/** How a factory gets in: its key for a client, a client's secret for a token. */
export function enrolmentRoutes(deps: EnrolmentDeps): readonly Route[] {
  const { database, keys, credentials, failures, now } = deps;

  function refuseGuessing(caller: Caller): void {
    const waitMs = failures.waitMs(caller.address, now());
    if (waitMs === 0) return;
    const seconds = Math.ceil(waitMs / 1000);
    throw new HttpProblem(429, `Too many wrong secrets from this address: try again in ${seconds} s.`, { 'retry-after': String(seconds) });
  }

  return [
    route({
      method: 'POST',
      path: '/v1/enrolment',
      summary:
        'Exchanges a one-time code and a public key for a client. The request is signed with the key, as proof that the sender has it; over mutual TLS the certificate becomes that of the client',
      tag: 'enrolment',
      access: 'open',
      takesCredentials: true,
      body: z.strictObject({
        code: secret.describe('One-time code from the operator'),
        keyName: z
          .string()
          .regex(/^[A-Za-z0-9._-]{1,64}$/, 'has letters, digits, ".", "_" and "-"')
          .describe('The kid becomes <tax code>#<keyName>'),
        publicKey: z
          .strictObject({
            kty: z.literal('OKP').describe('OKP'),
            crv: z.literal('Ed25519').describe('Ed25519'),
            x: z.string().max(100).describe('base64url'),
          })
          .describe('JWK of RFC 8037'),
        signature: signatureBlock,
      }),
      answers: {
        201: {
          words: 'The key is enrolled',
          schema: z.strictObject({
            enterpriseId: z.string().describe('Tax code'),
            kid: z.string().describe('Name of the key in reports'),
            clientId: z.string().describe('For POST /oauth/token'),
            clientSecret: z.string().describe('Told once'),
            platformKey: z.looseObject({}).describe('Public key of receipts, JWK'),
          }),
        },
      },
      problems: [409, 422, 429],
      async handle({ body, caller }, _request, reply) {
        refuseGuessing(caller);
        const { signature, ...signed } = body;
        const enterpriseId = await keys.enterpriseOf(body.code);
        if (enterpriseId === undefined) {
          failures.failed(caller.address, now());
          throw new HttpProblem(403, 'The code is unknown, used or expired: ask the operator for a new one.');
        }
        const kid = kidOf(enterpriseId, body.keyName);
        const jwk = readKey(kid, body.publicKey);
        const verdict = verifyDetached(signed, signature as SignatureBlock, publicKeyFromJwk(jwk));
        if (signature.kid !== kid || !verdict.ok)
          throw new HttpProblem(422, `The request is not signed with the key that it names: sign as ${kid}.`);
        const client = await database.transaction(async (queries) => {
          if ((await keys.redeem(queries, body.code, jwk).catch(asConflict)) === undefined) {
            throw new HttpProblem(403, 'The code was used meanwhile: ask the operator for a new one.');
          }
          const added = await credentials.add(queries, enterpriseId, body.keyName, scopes);
          if (caller.certificate.kind === 'good') {
            const { thumbprint } = caller.certificate;
            await addCertificate(queries, { enterpriseId, clientId: added.clientId, thumbprint, at: new Date(now()) }).catch(asConflict);
          }
          return added;
        });
        deps.changed();
        return reply.code(201).send({ enterpriseId, kid, ...client, platformKey: deps.platformJwk });
      },
    }),
    route({
      method: 'POST',
      path: '/oauth/token',
      summary: 'A token for 15 minutes (OAuth 2 client credentials, RFC 6749 §4.4); the client as form fields or as Basic',
      tag: 'enrolment',
      access: 'open',
      takesCredentials: true,
      bodyType: 'form',
      body: z.object({
        grant_type: z.string().max(100).describe('client_credentials'),
        client_id: secret.optional().describe('Of the client'),
        client_secret: secret.optional().describe('Of the client'),
        scope: z.string().max(200).optional().describe('Some of the scopes of the client; absent: all'),
      }),
      answers: {
        200: {
          words: 'The token',
          schema: z.strictObject({
            access_token: z.string().describe('Send it as Bearer'),
            token_type: z.literal('Bearer').describe('Bearer'),
            expires_in: z.number().int().describe('s'),
            scope: z.string().describe('What it may do'),
          }),
        },
      },
      problems: [429],
      async handle({ body, caller }, request, reply) {
        refuseGuessing(caller);
        const refuse = (status: number, error: string, words: string) => reply.code(status).send({ error, error_description: words });
        if (body.grant_type !== 'client_credentials') return refuse(400, 'unsupported_grant_type', 'Only client_credentials');
        const [id, given] = basicOf(request.headers.authorization) ?? [body.client_id ?? '', body.client_secret ?? ''];
        const client = await credentials.check(id, given);
        if (client === undefined) {
          failures.failed(caller.address, now());
          reply.header('www-authenticate', 'Basic realm="nhip-sector"');
          return refuse(401, 'invalid_client', 'Client or secret is wrong');
        }
        if (!deps.certificates.fits(client.certificates, caller.certificate)) {
          failures.failed(caller.address, now());
          return refuse(401, 'invalid_client', 'The client certificate is missing, or not known as one of this client');
        }
        const wanted = body.scope === undefined ? client.scopes : body.scope.split(' ').filter((each) => each !== '');
        const granted = wanted.filter(isScope).filter((each) => client.scopes.includes(each));
        if (granted.length < wanted.length) return refuse(400, 'invalid_scope', `This client has: ${client.scopes.join(' ')}`);
        const bound = client.certificates.length > 0 && caller.certificate.kind === 'good' ? caller.certificate.thumbprint : null;
        const token = await credentials.issue(client, granted, bound);
        return { access_token: token, token_type: 'Bearer', expires_in: tokenLifeMs / 1000, scope: granted.join(' ') };
      },
    }),
  ];
}

function readKey(kid: string, jwk: object): PublicJwk {
  try {
    return jwkOf(kid, publicKeyFromJwk(jwk));
  } catch {
    throw new HttpProblem(422, 'publicKey is no Ed25519 key.');
  }
}

function asConflict(error: unknown): never {
  if (error instanceof PermanentError) throw new HttpProblem(409, `${error.message}.`);
  throw error;
}

/** RFC 6749 §2.3.1: form-encoded inside Basic. Ours have no character that would change. */
function basicOf(authorization: string | undefined): readonly [string, string] | undefined {
  const [, encoded] = /^basic +(\S{1,600})$/i.exec(authorization ?? '') ?? [];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8').replaceAll('\0', '');
  const colon = text.indexOf(':');
  return [text.slice(0, Math.max(0, colon)), text.slice(colon + 1)];
}
