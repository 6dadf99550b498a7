import { z } from 'zod';
import { sessionCookie } from '../../auth/authenticator.ts';
import { allows } from '../../auth/scope.ts';
import { HttpProblem } from '../problem.ts';
import { type Route, route } from '../route.ts';
import type { RouteDeps } from './deps.ts';

const path = '/api/v1/session';
const maxAgeS = 12 * 3600;

const user = z.strictObject({ name: z.string().describe('Login name'), role: z.string().describe('What the user may do') });

const credentials = z.strictObject({
  username: z.string().min(1).max(100).describe('Login name'),
  password: z.string().min(1).max(1000).describe('Password'),
});

/** Login, logout, who am I. */
export function sessionRoutes({ authenticator, demo, grafanaUrl, secureCookies }: RouteDeps): readonly Route[] {
  const cookie = (value: string, lifeS: number) =>
    `${sessionCookie}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${lifeS}${secureCookies ? '; Secure' : ''}`;
  return [
    route({
      method: 'GET',
      path,
      summary: 'Who is logged in, and whether reading is allowed.',
      access: 'open',
      response: z.strictObject({
        user: user.nullable().describe('null without a login'),
        canRead: z.boolean().describe('Whether values may be read'),
        demo: z.boolean().describe('This is a demo: viewers on this computer may read without a login'),
        grafanaUrl: z.string().nullable().describe('Where the dashboards of Grafana are, for whoever may read; null: there are none'),
      }),
      handle({ identity }) {
        const canRead = identity !== undefined && allows(identity.scope, 'read');
        return { user: identity?.user ?? null, canRead, demo, grafanaUrl: canRead ? (grafanaUrl ?? null) : null };
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
        const facts = { headers: request.headers, address: request.socket.remoteAddress ?? '' };
        const login = await authenticator.login(body.username, body.password, facts, nowMs);
        if (login === undefined) throw new HttpProblem(401, 'User name or password is wrong.');
        reply.header('set-cookie', cookie(login.secret, maxAgeS));
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
        authenticator.logout({ headers: request.headers, address: request.socket.remoteAddress ?? '' });
        return reply.code(204).header('set-cookie', cookie('', 0)).send();
      },
    }),
  ];
}
