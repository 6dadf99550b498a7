import { HttpProblem } from '@nhip/core/process/http-problem';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { sessionCookie } from '../../auth/authenticator.ts';
import { allows } from '../../auth/scope.ts';
import type { RequestFacts } from '../request-facts.ts';
import { type Route, route } from '../route.ts';
import type { RouteDeps } from './deps.ts';

const path = '/api/v1/session';
const lifeS = 12 * 3600;
/** The longest that browsers allow; the server ends it before (`rememberDays`). */
const stayingLifeS = 400 * 86_400;

const user = z.strictObject({ name: z.string().describe('Login name'), role: z.string().describe('What the user may do') });

const credentials = z.strictObject({
  username: z.string().min(1).max(100).describe('Login name'),
  password: z.string().min(1).max(1000).describe('Password'),
  remember: z.boolean().default(false).describe('Stay logged in on this device, as long as the server allows (rememberDays)'),
});

/** Login, logout, who am I. */
export function sessionRoutes({ authenticator, demo, grafanaUrl, readFacts, isPublicByTls, rememberDays }: RouteDeps): readonly Route[] {
  const cookie = (value: string, maxAgeS: number, { isEncrypted }: RequestFacts) =>
    `${sessionCookie}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${maxAgeS}${isEncrypted || isPublicByTls ? '; Secure' : ''}`;
  const loggedOut = (reply: FastifyReply, facts: RequestFacts) =>
    reply
      .code(204)
      .header('set-cookie', cookie('', 0, facts))
      .send();
  return [
    route({
      method: 'GET',
      path,
      summary: 'Who is logged in, and whether reading is allowed.',
      access: 'open',
      response: z.strictObject({
        user: user.nullable().describe('null without a login'),
        canRead: z.boolean().describe('Whether values may be read'),
        rememberDays: z.int().describe('Days without use after which a device that stays logged in has to log in again; 0: none stays'),
        demo: z.boolean().describe('This is a demo: viewers on this computer may read without a login'),
        grafanaUrl: z.string().nullable().describe('Where the dashboards of Grafana are, for whoever may read; null: there are none'),
      }),
      handle({ identity }) {
        const canRead = identity !== undefined && allows(identity.scope, 'read');
        return { user: identity?.user ?? null, canRead, rememberDays, demo, grafanaUrl: canRead ? (grafanaUrl ?? null) : null };
      },
    }),
    route({
      method: 'POST',
      path,
      summary: 'Logs a local user in and sets the session cookie.',
      access: 'open',
      body: credentials,
      response: z.strictObject({ user }),
      problems: [401, 403, 429],
      async handle({ body, nowMs }, request, reply) {
        const facts = readFacts(request.raw);
        const login = await authenticator.login(body.username, body.password, facts, nowMs, body.remember);
        if (login === undefined) throw new HttpProblem(401, 'User name or password is wrong.');
        reply.header('set-cookie', cookie(login.secret, login.stays ? stayingLifeS : lifeS, facts));
        return { user: login.user };
      },
    }),
    route({
      method: 'DELETE',
      path,
      summary: 'Logs out: ends the session and closes its live connections.',
      access: 'open',
      response: null,
      handle: (_input, request, reply) => {
        const facts = readFacts(request.raw);
        authenticator.logout(facts);
        return loggedOut(reply, facts);
      },
    }),
    route({
      method: 'DELETE',
      path: '/api/v1/sessions',
      summary: 'Logs the own user out on all devices, those that stay logged in too, and closes their live connections.',
      access: 'open',
      response: null,
      problems: [401],
      handle: ({ identity }, request, reply) => {
        if (identity?.user == null) throw new HttpProblem(401, 'Only a user has sessions: log in as the one whose devices are meant.');
        authenticator.logoutEverywhere(identity.user);
        return loggedOut(reply, readFacts(request.raw));
      },
    }),
  ];
}
