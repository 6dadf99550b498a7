import { HttpProblem } from '@nhip/core/process/http-problem';
import { type ApprovalProblem, maxSignedConfigLength } from '@nhip/core/wire/edge-control';
import { z } from 'zod';
import type { Identity } from '../../auth/authenticator.ts';
import { edgeCertificates, edgeConfiguration } from '../../edge-texts.ts';
import { type Route, route } from '../route.ts';
import type { RouteDeps } from './deps.ts';

const edgeParams = z.strictObject({
  group: z.string().min(1).max(64).describe('Group id of the edge agent'),
  edge: z.string().min(1).max(64).describe('Its edge id'),
});

const decision = z.strictObject({
  thumbprint: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'must be the SHA-256 of the certificate, 64 hex digits')
    .describe('SHA-256 of the certificate, as the list has it'),
  decision: z.enum(['approve', 'reject']).describe('`approve`: the edge connects to a server that shows it'),
});

const signedConfig = z.strictObject({
  edge: z.string().max(129).describe('`<group>/<edge>` for which it was signed'),
  version: z.int().min(1).describe('Above that of every one before'),
  config: z.string().min(1).max(maxSignedConfigLength).describe('YAML as in the file of the edge'),
  signature: z.string().max(200).describe('Ed25519, base64; `nhip edge config sign` makes it'),
});

const sent = z.strictObject({ sent: z.literal(true).describe('It is on its way; what came of it stands in the answer of the GET') });

const atGateway: Readonly<Record<ApprovalProblem, string>> = {
  commandsEnabled: 'may write values to its servers',
  passwordShown: 'would show a password to the server',
};

/** Certificates and configurations of the edge agents: what they tell, and what an administrator may ask of them. */
export function edgeRoutes({ edgeControl, edges, log }: RouteDeps): readonly Route[] {
  const idOf = ({ group, edge }: z.infer<typeof edgeParams>): string => `${group}/${edge}`;

  function known(id: string) {
    const found = edges().find((edge) => edge.id === id);
    if (found === undefined) throw new HttpProblem(404, `There is no edge agent ${id}: GET /api/v1/health/edges lists them.`);
    return found;
  }

  function reachable(id: string): void {
    if (!known(id).online) throw new HttpProblem(409, `${id} is offline and nothing is kept for it: ask again when it is there.`);
  }

  const certificatesOf = (id: string) =>
    edgeControl.certificates(id) ?? missing(`${known(id).id} has no connection whose servers show certificates, or is older.`);
  const configurationOf = (id: string) =>
    edgeControl.configuration(id) ??
    missing(`${known(id).id} takes no pushed configuration: set remote.configKeyFile in its file at the gateway.`);

  return [
    route({
      method: 'GET',
      path: '/api/v1/edges/{group}/{edge}/certificates',
      summary: 'Certificates of the OPC UA servers that an edge agent met, and which of them it trusts.',
      access: 'read',
      params: edgeParams,
      response: edgeCertificates,
      handle: ({ params }) => certificatesOf(idOf(params)),
    }),
    route({
      method: 'POST',
      path: '/api/v1/edges/{group}/{edge}/certificates/decision',
      summary: 'Trusts or refuses a server certificate at an edge agent that was told to take such decisions.',
      access: 'admin',
      params: edgeParams,
      body: decision,
      response: sent,
      problems: [409],
      handle({ params, body, identity }) {
        const id = idOf(params);
        reachable(id);
        const { takesDecisions, approvalProblem, certificates } = certificatesOf(id);
        if (!takesDecisions) throw new HttpProblem(409, `${id} takes no decisions from here: set remote.certificates: true in its file.`);
        if (body.decision === 'approve' && approvalProblem !== null)
          throw new HttpProblem(409, `${id} ${atGateway[approvalProblem]}: trust it there with \`nhip edge trust add\`.`);
        if (!certificates.some(({ thumbprint }) => thumbprint === body.thumbprint))
          throw new HttpProblem(409, `${id} lists no certificate ${body.thumbprint.slice(0, 16)}…: a server must have shown it first.`);
        edgeControl.decide(id, body);
        log.info({ audit: 'certificate', by: nameOf(identity), edge: id, ...body }, 'A decision about a certificate was sent to an edge');
        return { sent: true as const };
      },
    }),
    route({
      method: 'GET',
      path: '/api/v1/edges/{group}/{edge}/config',
      summary: 'Which configuration an edge agent runs, and what became of the last one that was pushed to it.',
      access: 'read',
      params: edgeParams,
      response: edgeConfiguration,
      handle: ({ params }) => configurationOf(idOf(params)),
    }),
    route({
      method: 'POST',
      path: '/api/v1/edges/{group}/{edge}/config',
      summary: 'Passes a signed configuration on to an edge agent, which checks the signature and whether it may be used.',
      access: 'admin',
      params: edgeParams,
      body: signedConfig,
      response: sent,
      problems: [409],
      handle({ params, body, identity }) {
        const id = idOf(params);
        if (body.edge !== id) throw new HttpProblem(400, `body edge: it is signed for ${body.edge}, not for ${id}.`);
        if (JSON.stringify(body).length > maxSignedConfigLength)
          throw new HttpProblem(
            413,
            `A signed configuration may have ${maxSignedConfigLength} characters: use profiles, or split the edge.`,
          );
        reachable(id);
        const { version } = configurationOf(id);
        if (body.version <= version)
          throw new HttpProblem(409, `${id} has accepted version ${version} already: sign it again with a higher one.`);
        edgeControl.push(id, body);
        log.info({ audit: 'config', by: nameOf(identity), edge: id, version: body.version }, 'A configuration was sent to an edge');
        return { sent: true as const };
      },
    }),
  ];
}

function missing(detail: string): never {
  throw new HttpProblem(404, detail);
}

function nameOf(identity: Identity | undefined): string {
  return identity?.name ?? '';
}
