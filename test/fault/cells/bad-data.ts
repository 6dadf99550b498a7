import type { Factory } from '../../harness/factory.ts';
import type { ForeignMetric, ForeignPublisher } from '../../harness/foreign-publisher.ts';
import { until } from '../../harness/until.ts';
import type { Cell, Family } from '../cell.ts';

const bdSeq: ForeignMetric = { name: 'bdSeq', type: 'Int64', value: 0 };
const now = (): number => Date.now();

/** NBIRTH, and DBIRTH of D1 with metrics A and B under these aliases. */
async function born(
  foreign: ForeignPublisher,
  type: 'Int32' | 'Double' = 'Int32',
  aliases: readonly [number, number] = [1, 2],
): Promise<void> {
  await foreign.send('NBIRTH', '', 0, [bdSeq]);
  await foreign.send('DBIRTH', 'D1', 1, [
    { name: 'A', alias: aliases[0], type, value: foreign.serve('D1', 'A', next()), timestamp: now() },
    { name: 'B', alias: aliases[1], type, value: foreign.serve('D1', 'B', next()), timestamp: now() },
  ]);
}

let last = 0;
/** Never the same value twice, whatever the series. */
function next(): number {
  last++;
  return last;
}

/** One value of metric A or B by alias. */
function byAlias(foreign: ForeignPublisher, metric: 'A' | 'B', alias: number, type: 'Int32' | 'Double' = 'Int32'): ForeignMetric {
  return { alias, type, value: foreign.serve('D1', metric, next()), timestamp: now() };
}

async function withForeign(factory: Factory, id: string, run: (foreign: ForeignPublisher) => Promise<void>): Promise<void> {
  const { pid } = factory.server.process;
  await factory.served(50);
  await run(await factory.foreign(id));
  await factory.live();
  if (factory.server.process.pid !== pid) throw new Error('the server was started again');
}

const cells: readonly Cell[] = [
  {
    id: 'garbage',
    fault: 'a publisher sends 400 messages of noise on every kind of topic',
    expectation: 'each becomes a dead letter; nobody else notices',
    isCore: true,
    run: (factory) =>
      withForeign(factory, 'noise/x', async (foreign) => {
        const topics = ['NBIRTH/x', 'DBIRTH/x/D1', 'NDATA/x', 'DDATA/x/D1', 'DDEATH/x/D1', 'NDEATH/x'].map((end) => `spBv1.0/noise/${end}`);
        topics.push('json/noise/x/D1', 'json/noise/x/D1/Temp');
        const { random } = factory;
        for (let i = 0; i < 400; i++) {
          const noise = Uint8Array.from({ length: Math.floor(random() * 300) }, () => Math.floor(random() * 256));
          await foreign.publish(topics[i % topics.length] ?? '', noise);
        }
      }),
  },
  {
    id: 'duplicate-births',
    fault: 'an edge sends its births again and again, with other aliases',
    expectation: 'every value goes to the series that its birth names',
    run: (factory) =>
      withForeign(factory, 'g/x', async (foreign) => {
        for (let i = 0; i < 5; i++) {
          const aliases = i % 2 === 0 ? ([1, 2] as const) : ([2, 1] as const);
          await born(foreign, 'Int32', aliases);
          for (let n = 0; n < 20; n++) {
            await foreign.send('DDATA', 'D1', 2 + n, [byAlias(foreign, 'A', aliases[0]), byAlias(foreign, 'B', aliases[1])]);
          }
        }
      }),
  },
  {
    id: 'unknown-aliases',
    fault: 'an edge sends data by alias without ever having been born',
    expectation: 'the values become dead letters, each counted; the edge is asked for its births',
    deadLettered: 'kept',
    run: (factory) =>
      withForeign(factory, 'g/x', async (foreign) => {
        for (let n = 0; n < 10; n++) await foreign.send('DDATA', 'D1', n, [byAlias(foreign, 'A', 1), byAlias(foreign, 'B', 2)]);
        await until('the edge is asked for its births', () => foreign.commands() > 0);
        await born(foreign);
        for (let n = 0; n < 10; n++) await foreign.send('DDATA', 'D1', 2 + n, [byAlias(foreign, 'A', 1), byAlias(foreign, 'B', 2)]);
      }),
  },
  {
    id: 'sequence-gaps',
    fault: 'an edge leaves out sequence numbers and goes back',
    expectation: 'what arrives is stored; the edge is asked for its births',
    run: (factory) =>
      withForeign(factory, 'g/x', async (foreign) => {
        await born(foreign);
        for (const seq of [2, 3, 9, 10, 4, 200, 255, 0, 0, 1]) {
          await foreign.send('DDATA', 'D1', seq, [byAlias(foreign, 'A', 1), byAlias(foreign, 'B', 2)]);
        }
        await until('the edge is asked for its births', () => foreign.commands() > 0);
      }),
  },
  {
    id: 'type-change',
    fault: 'an edge changes the types of its metrics, with and without a birth',
    expectation: 'numbers stay numbers of the same series, text is stored as text',
    run: (factory) =>
      withForeign(factory, 'g/x', async (foreign) => {
        await born(foreign, 'Int32');
        await foreign.send('DDATA', 'D1', 2, [byAlias(foreign, 'A', 1)]);
        await foreign.send('DDATA', 'D1', 3, [byAlias(foreign, 'A', 1, 'Double'), { alias: 2, type: 'String', value: 'text' }]);
        await born(foreign, 'Double');
        await foreign.send('DDATA', 'D1', 2, [byAlias(foreign, 'A', 1, 'Double'), byAlias(foreign, 'B', 2, 'Double')]);
        await foreign.publish('json/g/x/D1', JSON.stringify({ ts: now(), values: { B: 'text', C: { D: [1, 2] } } }));
      }),
  },
  {
    id: 'poison-point',
    fault: 'among 100 good values of one message one NaN, one infinite, one of the year 2100, one of bytes',
    expectation: 'the 96 good ones are stored, the four become dead letters, each counted',
    deadLettered: 'kept',
    run: (factory) =>
      withForeign(factory, 'g/x', async (foreign) => {
        await foreign.send('NBIRTH', '', 0, [bdSeq]);
        const good = Array.from(
          { length: 96 },
          (_, i): ForeignMetric => ({ name: `M${i}`, type: 'Double', value: foreign.serve('D1', `M${i}`, next()), timestamp: now() }),
        );
        const bad: readonly ForeignMetric[] = [
          { name: 'NotANumber', type: 'Double', value: foreign.serve('D1', 'NotANumber', Number.NaN), timestamp: now() },
          { name: 'Infinite', type: 'Double', value: foreign.serve('D1', 'Infinite', Number.POSITIVE_INFINITY), timestamp: now() },
          { name: 'Future', type: 'Double', value: foreign.serve('D1', 'Future', next()), timestamp: Date.UTC(2100, 0, 1) },
          { name: 'Bytes', type: 'Bytes', value: Uint8Array.of(1, foreign.serve('D1', 'Bytes', 2)), timestamp: now() },
        ];
        await foreign.send('DBIRTH', 'D1', 1, [...good.slice(0, 50), ...bad, ...good.slice(50)]);
      }),
  },
  {
    id: 'large-values',
    fault: 'strings of 900 KB, then packets of 2 MB',
    expectation: 'the strings are stored, the packets end their sender’s connection; nobody else notices',
    run: (factory) =>
      withForeign(factory, 'large/x', async (foreign) => {
        for (let i = 0; i < 10; i++) await foreign.publish('json/large/x/D1', JSON.stringify({ values: { Text: 'x'.repeat(900_000) } }));
        for (let i = 0; i < 3; i++) {
          void foreign.publish('json/large/x/D1', JSON.stringify({ values: { Text: 'x'.repeat(2_000_000) } })).catch(() => undefined);
        }
        await factory.served(200);
      }),
  },
  {
    id: 'foreign-name',
    fault: 'a publisher sends births and data in the name of another edge',
    expectation: 'nothing of it is stored',
    run: (factory) =>
      withForeign(factory, 'g/x', async (foreign) => {
        const attempt = async (topic: string): Promise<void> => {
          const said = foreign.publish(topic, JSON.stringify({ values: { 'Count/Total': 4_000_000 } }));
          await Promise.race([said.catch(() => undefined), factory.lasts(500)]);
        };
        await attempt('json/g/e1/U1');
        await attempt('spBv1.0/g/DDATA/e1/U1');
        await attempt('spBv1.0/g/NDEATH/e1');
      }),
  },
];

export const badData: Family = { name: 'bad-data', title: 'What is bad in the data', cells };
