import { runRestarts } from '@nhip/edge-agent/drivers/opcua/testing/restarts';
import { type Bench, median } from './figures.ts';

const restarts = 1000;

export const opcuaRestarts: Bench = {
  name: 'opcua-restarts',
  summary: `OPC UA server restarted ${restarts} times with its namespaces in another order: wrong values, and time until all values are there again`,
  async run({ runs, isShort }) {
    const count = isShort ? 10 : Math.ceil(restarts / runs);
    const all = [];
    const startedMs = performance.now();
    for (let run = 0; run < runs; run++) all.push(await runRestarts(count, run + 1));
    const minutes = (performance.now() - startedMs) / 60_000;
    const target = { kind: 'atMost', value: 5 } as const;
    const values = all.reduce((sum, each) => sum + each.values, 0);
    return {
      figures: [
        { what: 'wrong values passed as good', unit: '', values: all.map(({ wrong }) => wrong), target: { kind: 'atMost', value: 0 } },
        {
          what: 'server listens → all values, median',
          unit: 's',
          values: all.map(({ reconnectMs }) => median(reconnectMs) / 1000),
          target,
        },
        {
          what: 'server listens → all values, slowest',
          unit: 's',
          values: all.map(({ reconnectMs }) => Math.max(...reconnectMs) / 1000),
          target,
        },
      ],
      notes: [
        `${count} restarts per run, ${count * runs} in all, in ${Math.round(minutes)} minutes; ${values.toLocaleString('en-GB')} good values were checked. Each says which node it is of and which start of the server it is from.`,
        'Five namespaces with the same identifiers in each, shuffled among up to two others, followed in two subscriptions. About a third of the servers is stopped again while the agent connects.',
        'Server and agent share one process; the time includes the waiting between two attempts to connect.',
      ],
    };
  },
};
