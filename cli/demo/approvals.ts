import { z } from 'zod';

const policies = z.looseObject({ policies: z.array(z.looseObject({ digest: z.string(), state: z.string() })) });
const reports = z.looseObject({
  reports: z.array(
    z.looseObject({ id: z.string(), state: z.string(), digest: z.string().optional(), period: z.looseObject({ from: z.string() }) }),
  ),
});

export interface Login {
  readonly username: string;
  readonly password: string;
}

const retryMs = 2000;
const tries = 60;
const dayMs = 86_400_000;

/**
 * What two people of a plant would do at the first start of the demo: agree to the sharing policy, and to every report but the newest, which
 * is left for the visitor. Rejects when it is not done within two minutes.
 */
export async function approveForDemo(url: string, people: readonly Login[]): Promise<void> {
  const ask = async <T>(schema: z.ZodType<T>, person: Login, path: string, body?: object): Promise<T> => {
    const response = await fetch(`${url}/api/v1/sharing${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(`${person.username}:${person.password}`).toString('base64')}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return schema.parse(await response.json());
  };
  const [first] = people;
  if (first === undefined) return;

  async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
    for (let attempt = 0; attempt < tries; attempt++) {
      const found = await look();
      if (found !== undefined) return found;
      await new Promise((resolve) => setTimeout(resolve, retryMs));
    }
    throw new Error(`${what}: not within ${(tries * retryMs) / 1000} s`);
  }

  const policy = await until('a policy that waits', async () => {
    const found = await ask(policies, first, '/policies');
    return found.policies.find(({ state }) => state === 'waiting');
  });
  for (const person of people) await ask(z.unknown(), person, `/policies/${encodeURIComponent(policy.digest)}/approve`, {});

  // Older days are reported one after the other; when yesterday's is there, all are.
  await until('the reports of the days before', async () => {
    const { reports: all } = await ask(reports, first, '/reports');
    const newest = all
      .map(({ period }) => period.from)
      .sort()
      .at(-1);
    for (const { id, digest, state, period } of all) {
      if (state !== 'held' || period.from === newest) continue;
      for (const person of people) await ask(z.unknown(), person, `/reports/${encodeURIComponent(id)}/approve`, { digest });
    }
    return newest !== undefined && Date.now() - Date.parse(newest) < 2 * dayMs ? true : undefined;
  });
}
