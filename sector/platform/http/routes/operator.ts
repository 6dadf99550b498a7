import { PermanentError } from '@nhip/core/process/errors';
import { HttpProblem } from '@nhip/core/process/http-problem';
import { z } from 'zod';
import { isTaxCode } from '../../../contract/codes/tax-code.ts';
import type { Database } from '../../database.ts';
import type { Credentials } from '../../store/credentials.ts';
import type { FactoryKeys } from '../../store/factory-keys.ts';
import type { Tenants } from '../../store/tenants.ts';
import { addCertificate, removeCertificate } from '../../tls/client-certificates.ts';
import { type Route, route } from '../route.ts';
import { enterpriseId, establishmentId, moment, scopeList, shortName } from '../schemas.ts';

export interface OperatorDeps {
  readonly database: Database;
  readonly tenants: Tenants;
  readonly keys: FactoryKeys;
  readonly credentials: Credentials;
  now(): number;
  /** Called when something changed that is kept in memory: from then on it holds. */
  changed(): void;
}

const codeLifeMs = 7 * 86_400_000;

const byEnterprise = z.strictObject({ enterpriseId });
const establishments = z
  .array(z.strictObject({ establishmentId, name: shortName.describe('For people') }))
  .max(1000)
  .describe('Plants that report');
const enterprise = z.strictObject({ enterpriseId, name: shortName.describe('For people'), establishments });
const oneCertificate = z.strictObject({
  enterpriseId,
  clientId: z.uuid().describe('Of the client'),
  thumbprint: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'is no SHA-256 as 64 lower-case hex digits')
    .describe('SHA-256 of the certificate in DER, hex: openssl x509 -in FILE -outform DER | sha256sum'),
});
const done = { 204: { words: 'Done', schema: null } } as const;

/** Who may send. The operator sees names and keys, no reports. */
export function operatorRoutes({ database, tenants, keys, credentials, now, changed }: OperatorDeps): readonly Route[] {
  const mustExist = async (id: string): Promise<void> => {
    if ((await tenants.find(id)) === undefined) throw new HttpProblem(404, `Enterprise ${id} is not registered.`);
  };
  return [
    route({
      method: 'GET',
      path: '/v1/operator/enterprises',
      summary: 'Registered enterprises',
      tag: 'operator',
      access: 'operator',
      answers: { 200: { words: 'All', schema: z.strictObject({ enterprises: z.array(enterprise).describe('By tax code') }) } },
      handle: async () => ({ enterprises: await tenants.list() }),
    }),
    route({
      method: 'PUT',
      path: '/v1/operator/enterprises/{enterpriseId}',
      summary: 'Registers an enterprise or renames it; adds establishments, removes none',
      tag: 'operator',
      access: 'operator',
      params: byEnterprise,
      body: z.strictObject({ name: shortName.describe('For people'), establishments }),
      answers: done,
      problems: [422],
      async handle({ params, body }, _request, reply) {
        if (!isTaxCode(params.enterpriseId))
          throw new HttpProblem(422, `${params.enterpriseId}: the check digit of the tax code is wrong.`);
        await tenants.register({ ...params, ...body });
        changed();
        return reply.code(204).send();
      },
    }),
    route({
      method: 'POST',
      path: '/v1/operator/enterprises/{enterpriseId}/enrolment-codes',
      summary: 'A one-time code with which a factory enrols its key; valid for a week',
      tag: 'operator',
      access: 'operator',
      params: byEnterprise,
      body: z.strictObject({ keyValidFrom: moment.optional().describe('Reports issued before are refused. Default: now') }),
      answers: {
        201: {
          words: 'Told once',
          schema: z.strictObject({ code: z.string().describe('Give it to the enterprise'), expiresAt: z.string().describe('Its end') }),
        },
      },
      async handle({ params, body }, _request, reply) {
        await mustExist(params.enterpriseId);
        const expiresMs = now() + codeLifeMs;
        const keyValidFromMs = body.keyValidFrom === undefined ? now() : Date.parse(body.keyValidFrom);
        const code = await keys.makeCode(params.enterpriseId, { keyValidFromMs, expiresMs });
        return reply.code(201).send({ code, expiresAt: new Date(expiresMs).toISOString() });
      },
    }),
    route({
      method: 'POST',
      path: '/v1/operator/enterprises/{enterpriseId}/clients',
      summary: 'A further client, e.g. one that may only read, for the web page',
      tag: 'operator',
      access: 'operator',
      params: byEnterprise,
      body: z.strictObject({ name: shortName.describe('For people'), scopes: scopeList }),
      answers: {
        201: {
          words: 'Told once',
          schema: z.strictObject({ clientId: z.string().describe('Name'), clientSecret: z.string().describe('Secret') }),
        },
      },
      async handle({ params, body }, _request, reply) {
        await mustExist(params.enterpriseId);
        return reply.code(201).send(await credentials.add(database, params.enterpriseId, body.name, body.scopes));
      },
    }),
    route({
      method: 'DELETE',
      path: '/v1/operator/enterprises/{enterpriseId}/clients/{clientId}',
      summary: 'Revokes a client and its tokens',
      tag: 'operator',
      access: 'operator',
      params: z.strictObject({ enterpriseId, clientId: z.uuid().describe('Of the client') }),
      answers: done,
      async handle({ params }, _request, reply) {
        if (!(await credentials.revoke(params.enterpriseId, params.clientId)))
          throw new HttpProblem(404, 'There is no such client in use.');
        changed();
        return reply.code(204).send();
      },
    }),
    route({
      method: 'PUT',
      path: '/v1/operator/enterprises/{enterpriseId}/clients/{clientId}/certificates/{thumbprint}',
      summary: 'Makes a TLS certificate known as one of a client, which from then on is good with its certificates only; its tokens end',
      tag: 'operator',
      access: 'operator',
      params: oneCertificate,
      answers: done,
      problems: [409],
      async handle({ params }, _request, reply) {
        const at = new Date(now());
        const isAdded = await database.transaction((queries) => addCertificate(queries, { ...params, at })).catch(asConflict);
        if (!isAdded) throw new HttpProblem(404, 'There is no such client in use.');
        changed();
        return reply.code(204).send();
      },
    }),
    route({
      method: 'DELETE',
      path: '/v1/operator/enterprises/{enterpriseId}/clients/{clientId}/certificates/{thumbprint}',
      summary:
        'Takes a TLS certificate away from a client; its tokens end. Without any, the secret is enough where no certificate is required',
      tag: 'operator',
      access: 'operator',
      params: oneCertificate,
      answers: done,
      async handle({ params }, _request, reply) {
        const isGone = await database.transaction((queries) => removeCertificate(queries, params));
        if (!isGone) throw new HttpProblem(404, 'The client has no such certificate.');
        changed();
        return reply.code(204).send();
      },
    }),
    route({
      method: 'DELETE',
      path: '/v1/operator/enterprises/{enterpriseId}/keys/{keyName}',
      summary: 'Revokes a key: reports signed with it are refused from now on, those that are here stay good',
      tag: 'operator',
      access: 'operator',
      params: z.strictObject({
        enterpriseId,
        keyName: z
          .string()
          .regex(/^[A-Za-z0-9._-]{1,64}$/)
          .describe('What stands behind # in the kid'),
      }),
      answers: done,
      async handle({ params }, _request, reply) {
        const { enterpriseId: owner, keyName } = params;
        if (!(await keys.revoke(owner, `${owner}#${keyName}`))) throw new HttpProblem(404, 'There is no such key in use.');
        changed();
        return reply.code(204).send();
      },
    }),
  ];
}

function asConflict(error: unknown): never {
  if (error instanceof PermanentError) throw new HttpProblem(409, `${error.message}.`);
  throw error;
}
