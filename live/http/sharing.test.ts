import { describe, expect, it } from 'vitest';
import type { Identity } from '../auth/authenticator.ts';
import type { Route } from './route.ts';
import type { RouteDeps } from './routes/deps.ts';
import { type SharingDesk, sharingRoutes } from './routes/sharing.ts';

/** A desk that refuses like the gateway's: with a code, and words in both languages. */
class Refusal extends Error {
  readonly code: string;
  readonly text = { vi: 'Nội dung đã đổi', en: 'The bytes are other ones by now' };
  constructor(code: string) {
    super('The bytes are other ones by now');
    this.code = code;
  }
}

const calls: unknown[] = [];
const desk = {
  approve: (...asked: unknown[]) => {
    calls.push(asked);
    return Promise.reject(new Refusal('other_bytes'));
  },
  hold: () => Promise.reject(new Error('The disk is gone')),
  items: (page: unknown) => {
    calls.push(page);
    return Promise.resolve({ items: [], next: 7 });
  },
} as unknown as SharingDesk;

const routes = sharingRoutes({ sharing: desk } as RouteDeps);
const person = { by: 'session', name: 'lan', user: { name: 'lan', role: 'admin' } } as unknown as Identity;
const program = { by: 'token', name: 'lan', user: null } as unknown as Identity;

async function call(method: string, path: string, input: object, language?: string): Promise<unknown> {
  const found = routes.find((route) => route.method === method && route.path === path) as Route;
  const headers = language === undefined ? {} : { 'accept-language': language };
  const reply = { header: () => reply };
  return found.handle(
    { params: {}, query: {}, body: {}, identity: person, nowMs: 0, ...input },
    { headers, url: path } as never,
    reply as never,
  );
}
const approve = (identity: Identity, language?: string) =>
  call('POST', '/api/v1/sharing/reports/{id}/approve', { params: { id: 'r1' }, body: { digest: 'sha-256:x' }, identity }, language);

describe('what leaves the factory', () => {
  it('has no routes without a gateway', () => {
    expect(sharingRoutes({ sharing: undefined } as RouteDeps)).toEqual([]);
  });

  it('is decided on by people: a token does not approve, whatever its name', async () => {
    await expect(approve(program)).rejects.toMatchObject({ status: 403 });
    expect(calls).toEqual([]);
  });

  it('is refused in the language of the person', async () => {
    await expect(approve(person, 'vi')).rejects.toMatchObject({ status: 409, message: 'Nội dung đã đổi' });
    await expect(approve(person)).rejects.toMatchObject({ status: 409, message: 'The bytes are other ones by now' });
    expect(calls.splice(0)).toEqual([
      ['r1', 'lan', 'sha-256:x'],
      ['r1', 'lan', 'sha-256:x'],
    ]);
    await expect(call('POST', '/api/v1/sharing/reports/{id}/hold', { params: { id: 'r1' } })).rejects.toThrow('The disk is gone');
  });

  it('is listed in pages', async () => {
    const first = (await call('GET', '/api/v1/sharing/reports', { query: { state: 'held' } })) as { next: string };
    await call('GET', '/api/v1/sharing/reports', { query: { cursor: first.next, limit: '5' } });
    expect(calls.splice(0)).toEqual([
      { limit: 50, states: ['held'] },
      { limit: 5, before: 7 },
    ]);
  });

  it('needs the scope admin wherever something changes', () => {
    expect(routes.filter(({ method, access }) => access !== (method === 'GET' ? 'read' : 'admin'))).toEqual([]);
  });
});
