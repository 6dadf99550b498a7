import type { LinkFault } from '../../harness/chaos-proxy.ts';
import type { HttpFault } from '../../harness/http-faults.ts';
import type { Cell, Family } from '../cell.ts';

const apart: Pick<Cell, 'needs' | 'factory'> = {
  needs: ['nhip ingest', 'nhip live', 'program influxd'],
  factory: { shape: 'apart' },
};

const killed = (id: string, fault: string, expectation: string, names: readonly string[], times: number): Cell => ({
  ...apart,
  id,
  fault,
  expectation,
  isCore: id === 'apart-kill-ingest',
  async run({ role, served, lasts }) {
    for (let i = 0; i < times; i++) {
      await served(150);
      await Promise.all(names.map((name) => role(name).kill()));
      await lasts(200);
      await Promise.all(names.map((name) => role(name).start()));
    }
  },
});

const frozen = (id: string, name: string, words: string, expectation: string): Cell => ({
  ...apart,
  id,
  fault: `${words}: hangs for 30 s (SIGSTOP)`,
  expectation,
  async run({ role, served }, { freezeMs }) {
    await served(100);
    await role(name).freeze(freezeMs);
  },
});

const deaths: readonly Cell[] = [
  killed('apart-kill-broker', 'broker: kill -9, four times', 'edges send again; ingest and live wait for the log', ['broker'], 4),
  killed('apart-kill-ingest', 'ingest: kill -9, four times', 'it goes on at its checkpoint, nothing is doubled', ['ingest'], 4),
  killed('apart-kill-live', 'live: kill -9, three times', 'the way into the store does not notice', ['live'], 3),
  killed('apart-kill-store', 'InfluxDB: kill -9, three times', 'what it had confirmed is there; the rest is written again', ['store'], 3),
  killed(
    'apart-kill-broker-ingest',
    'broker and ingest: kill -9 of both at once, three times',
    'nothing is doubled',
    ['broker', 'ingest'],
    3,
  ),
  killed(
    'apart-kill-ingest-store',
    'ingest and InfluxDB: kill -9 of both at once, three times',
    'nothing is doubled',
    ['ingest', 'store'],
    3,
  ),
  killed(
    'apart-kill-broker-store',
    'broker and InfluxDB: kill -9 of both at once, three times',
    'nothing is doubled',
    ['broker', 'store'],
    3,
  ),
  killed(
    'apart-kill-edge-broker',
    'edge agent and broker: kill -9 of both at once, three times',
    'only the commit window is missing',
    ['e1', 'broker'],
    3,
  ),
  killed(
    'apart-kill-edge-ingest',
    'edge agent and ingest: kill -9 of both at once, three times',
    'only the commit window is missing',
    ['e1', 'ingest'],
    3,
  ),
  killed(
    'apart-kill-all',
    'broker, ingest, live and InfluxDB: kill -9 of all at once, twice',
    'nothing is doubled',
    ['broker', 'ingest', 'live', 'store'],
    2,
  ),
  frozen('apart-freeze-broker', 'broker', 'broker', 'edges notice by keep alive and keep their data'),
  frozen('apart-freeze-ingest', 'ingest', 'ingest', 'live values go on; the log keeps the rest'),
  frozen('apart-freeze-live', 'live', 'live', 'the way into the store does not notice'),
  frozen('apart-freeze-store', 'store', 'InfluxDB', 'requests time out and are repeated'),
  {
    ...apart,
    id: 'apart-store-outage',
    fault: 'InfluxDB: gone for 60 s',
    expectation: 'live values go on; the log keeps the rest and drains',
    async run({ role, served, live, lasts }, { outageMs }) {
      await served(100);
      await role('store').kill();
      await lasts(outageMs);
      await live();
      await role('store').start();
    },
  },
  {
    ...apart,
    id: 'apart-start-backwards',
    fault: 'everything stopped, then started edge first, store last',
    expectation: 'the order of starting does not matter',
    async run({ role, served, lasts }) {
      await served(100);
      const order = ['e1', 'live', 'ingest', 'broker', 'store'];
      for (const name of order) await role(name).stop();
      const started: Promise<void>[] = [];
      for (const name of order) {
        started.push(role(name).start());
        await lasts(700);
      }
      await Promise.all(started);
    },
  },
];

const linkFaults: readonly (readonly [name: string, words: string, fault: LinkFault])[] = [
  ['refused', 'closed', { kind: 'refuse' }],
  ['blackhole', 'half-open: bytes vanish both ways', { kind: 'blackhole', way: 'both' }],
  ['blackhole-down', 'half-open: answers vanish', { kind: 'blackhole', way: 'down' }],
  ['delay', '200 ms ± 100 ms slow', { kind: 'delay', ms: 200, jitterMs: 100 }],
  ['narrow', '64 kbit/s', { kind: 'narrow', bitsPerS: 64_000 }],
  ['slices', 'cut into slices of 3 bytes', { kind: 'slices', bytes: 3 }],
  ['cut', 'reset in the middle of a request again and again', { kind: 'cut', everyBytes: 6000 }],
];

const storeLinks = linkFaults.map(
  ([name, words, fault]): Cell => ({
    ...apart,
    id: `store-link-${name}`,
    fault: `ingest ↔ InfluxDB: ${words}, 60 s`,
    expectation: 'what is not confirmed is written again, each sample once',
    isCore: name === 'cut',
    async run({ storeLinks: links, served, lasts }, { outageMs }) {
      await served(100);
      await links().link.set(fault);
      await lasts(outageMs);
      await links().link.set({ kind: 'pass' });
    },
  }),
);

interface AnswerCase {
  readonly name: string;
  readonly words: string;
  readonly fault: HttpFault;
  readonly expectation: string;
  readonly deadLettered?: 'kept';
}

const answerCases: readonly AnswerCase[] = [
  {
    name: '400',
    words: 'answers 400 whenever a value that ends in 7 is in the write',
    fault: { kind: 'poison', pattern: /[ ,]v=\d*7[ ,]/ },
    expectation: 'exactly these samples become dead letters, each counted; the others are stored',
    deadLettered: 'kept',
  },
  {
    name: 'poison',
    words: 'answers 400 whenever one certain series is in the write',
    fault: { kind: 'poison', pattern: /metric=Count\/3 / },
    expectation: 'samples of that series become dead letters, each counted; all others are stored',
    deadLettered: 'kept',
  },
  { name: '413', words: 'answers 413 beyond 1,000 bytes', fault: { kind: 'tooLarge', maxBytes: 1000 }, expectation: 'writes are split' },
  {
    name: '429',
    words: 'answers 429 with Retry-After to every second write',
    fault: { kind: 'status', status: 429, share: 0.5, retryAfterS: 1 },
    expectation: 'it waits and writes again',
  },
  {
    name: '500',
    words: 'answers 500 to every second write',
    fault: { kind: 'status', status: 500, share: 0.5 },
    expectation: 'it writes again',
  },
  {
    name: '503',
    words: 'answers 503 to every write',
    fault: { kind: 'status', status: 503, share: 1 },
    expectation: 'the log keeps all until then',
  },
  { name: 'silent', words: 'never answers', fault: { kind: 'silent' }, expectation: 'requests time out and are repeated' },
  {
    name: 'forgetful',
    words: 'writes, and loses every third answer',
    fault: { kind: 'forgetful', share: 0.33 },
    expectation: 'repeating what was written doubles nothing',
  },
  { name: 'late', words: 'answers after 2 s', fault: { kind: 'late', ms: 2000 }, expectation: 'batches grow, nothing is lost' },
];

const answers = answerCases.map(
  ({ name, words, fault, expectation, deadLettered }): Cell => ({
    ...apart,
    id: `store-answers-${name}`,
    fault: `InfluxDB ${words}, 60 s`,
    expectation,
    ...(deadLettered === undefined ? {} : { deadLettered }),
    isCore: name === 'poison' || name === 'forgetful',
    async run({ storeLinks: links, served, lasts }, { outageMs }) {
      await served(100);
      const before = links().answers.hits();
      links().answers.set(fault);
      await lasts(outageMs);
      links().answers.set({ kind: 'pass' });
      if (links().answers.hits() === before) throw new Error('no write met the fault');
    },
  }),
);

export const rolesApart: Family = {
  name: 'roles-apart',
  title: 'Roles apart, on InfluxDB',
  cells: [...deaths, ...storeLinks, ...answers],
};
