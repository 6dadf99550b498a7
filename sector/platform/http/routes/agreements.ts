import { PermanentError } from '@nhip/core/process/errors';
import { HttpProblem } from '@nhip/core/process/http-problem';
import { z } from 'zod';
import type { AccessLog } from '../../store/access-log.ts';
import type { Agreement, Agreements } from '../../store/agreements.ts';
import type { Tenants } from '../../store/tenants.ts';
import { agreementBody, agreementId, agreementList, agreementSchema, termsOf } from '../agreement-schemas.ts';
import { enterpriseOf, recordRead } from '../caller.ts';
import { type Route, route } from '../route.ts';
import { enterpriseId } from '../schemas.ts';

export interface AgreementDeps {
  readonly agreements: Agreements;
  readonly tenants: Pick<Tenants, 'find'>;
  readonly accessLog: AccessLog;
  /** Called when something changed that is kept in memory: from then on it holds. */
  changed(): void;
}

const ofEnterprise = z.strictObject({ enterpriseId });
const oneOfEnterprise = z.strictObject({ enterpriseId, agreementId });
const revoked = { 200: { words: 'Revoked, now or before', schema: agreementSchema } } as const;

/** Agreements about sharing: the operator records them, either side ends them. */
export function agreementRoutes({ agreements, tenants, accessLog, changed }: AgreementDeps): readonly Route[] {
  const mustExist = async (id: string): Promise<void> => {
    if ((await tenants.find(id)) === undefined) throw new HttpProblem(404, `Enterprise ${id} is not registered.`);
  };
  const revoke = async (owner: string, id: string, by: string): Promise<Agreement> => {
    const found = await agreements.revoke(owner, id, by);
    changed();
    if (found === undefined) throw new HttpProblem(404, `The enterprise has no agreement ${id} here.`);
    return found;
  };
  return [
    route({
      method: 'GET',
      path: '/v1/agreements',
      summary: 'Agreements of the own enterprise',
      tag: 'agreements',
      access: 'reports:read',
      answers: { 200: { words: 'All', schema: agreementList } },
      async handle({ caller }) {
        const found = await agreements.list(enterpriseOf(caller));
        await recordRead(accessLog, caller, 'list agreements', 'agreements', found.length);
        return { agreements: found };
      },
    }),
    route({
      method: 'POST',
      path: '/v1/agreements/{agreementId}/revocation',
      summary: 'Ends an own agreement: reports under it are refused from now on; receipts, and the way to withdraw reports, stay',
      tag: 'agreements',
      access: 'reports:submit',
      params: z.strictObject({ agreementId }),
      answers: revoked,
      handle({ params, caller }) {
        const by = caller.principal?.role === 'enterprise' ? `client ${caller.principal.clientId}` : '';
        return revoke(enterpriseOf(caller), params.agreementId, by);
      },
    }),
    route({
      method: 'GET',
      path: '/v1/operator/enterprises/{enterpriseId}/agreements',
      summary: 'Agreements of an enterprise',
      tag: 'operator',
      access: 'operator',
      params: ofEnterprise,
      answers: { 200: { words: 'All', schema: agreementList } },
      async handle({ params }) {
        await mustExist(params.enterpriseId);
        return { agreements: await agreements.list(params.enterpriseId) };
      },
    }),
    route({
      method: 'PUT',
      path: '/v1/operator/enterprises/{enterpriseId}/agreements/{agreementId}',
      summary: 'Records an agreement. Its terms are never changed; the same again changes nothing',
      tag: 'operator',
      access: 'operator',
      params: oneOfEnterprise,
      body: agreementBody,
      answers: {
        201: { words: 'Recorded', schema: agreementSchema },
        200: { words: 'It was recorded before; it may be revoked', schema: agreementSchema },
      },
      problems: [409, 422],
      async handle({ params, body }, _request, reply) {
        await mustExist(params.enterpriseId);
        const terms = termsOf(params.agreementId, body);
        if (terms.validTo !== null && terms.validTo <= terms.validFrom) {
          throw new HttpProblem(422, 'validTo is not after validFrom.');
        }
        const isNew = await agreements.add(params.enterpriseId, terms).catch(asConflict);
        changed();
        const found = (await agreements.list(params.enterpriseId)).find((each) => each.agreementId === params.agreementId);
        return reply.code(isNew ? 201 : 200).send(found);
      },
    }),
    route({
      method: 'POST',
      path: '/v1/operator/enterprises/{enterpriseId}/agreements/{agreementId}/revocation',
      summary: 'Ends an agreement: reports under it are refused from now on',
      tag: 'operator',
      access: 'operator',
      params: oneOfEnterprise,
      answers: revoked,
      handle: ({ params }) => revoke(params.enterpriseId, params.agreementId, 'operator'),
    }),
  ];
}

function asConflict(error: unknown): never {
  if (error instanceof PermanentError) throw new HttpProblem(409, `${error.message}.`);
  throw error;
}
