import { silentLog } from '@nhip/core/process/log';
import { createNodeClock } from '@nhip/core/process/node-clock';
import { createSimDisk } from '@nhip/core/process/simulation/sim-disk';
import { createSimRandom } from '@nhip/core/process/simulation/sim-random';
import { dataType } from '@nhip/core/wire/sparkplug/datatype';
import { encodePayload } from '@nhip/core/wire/sparkplug/encode';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { waitFor } from '../testing/wait-for.ts';
import { createDeviceTable } from './device-table.ts';
import { createMqttConnect } from './mqtt-connection.ts';
import type { NodeRequest } from './node-command.ts';
import type { NodeText } from './node-texts.ts';
import { createSession, type Session } from './session.ts';
import { metricValue, type RecordingBroker, startRecordingBroker } from './testing/recording-broker.ts';

let broker: RecordingBroker;
let session: Session;
let texts: readonly NodeText[];
let requests: NodeRequest[];

beforeEach(async () => {
  broker = await startRecordingBroker();
  texts = [['Edge/Text', 'one']];
  requests = [];
});
afterEach(async () => {
  await session.stop();
  await broker.close();
});

async function start(takesRequests: boolean): Promise<void> {
  session = createSession(
    { group: 'g', edge: 'e', maxPayloadBytes: 20_000 },
    {
      ...{
        clock: createNodeClock(),
        random: createSimRandom(1),
        disk: createSimDisk().boot(),
        log: silentLog(),
        devices: createDeviceTable(),
      },
      connect: createMqttConnect({
        ...{ url: broker.url, clientId: 'g/e', username: 'g/e', password: 'x', ca: undefined, keepaliveS: 10, connectTimeoutMs: 5000 },
      }),
      onResend: () => undefined,
      nodeMetrics: async () => [],
      nodeTexts: async () => texts,
      onNodeRequest: takesRequests ? (request) => requests.push(request) : undefined,
      onSession: (link) => new Promise((resolve) => link.signal.addEventListener('abort', () => resolve())),
    },
  );
  session.start();
  await waitFor('the birth', () => broker.published('NBIRTH').length === 1);
}

const command = (...metrics: readonly (readonly [string, unknown])[]): Uint8Array =>
  encodePayload({
    timestampMs: 1,
    metrics: metrics.map(([name, value]) =>
      typeof value === 'string' ? { name, dataType: dataType.String, value } : { name, dataType: dataType.Boolean, value: true },
    ),
  });
const rebirth = ['Node Control/Rebirth', true] as const;

describe('texts of the node', () => {
  it('are in every birth, and in data when they changed', async () => {
    await start(false);
    expect(metricValue(broker.published('NBIRTH')[0]?.payload, 'Edge/Text')).toBe('one');
    await session.nodeChanged();
    texts = [['Edge/Text', 'two']];
    await session.nodeChanged();
    await session.nodeChanged();
    await waitFor('the news', () => broker.published('NDATA').length > 0);
    expect(broker.published('NDATA').map(({ payload }) => metricValue(payload, 'Edge/Text'))).toEqual(['two']);
    broker.command(command(rebirth));
    await waitFor('the rebirth', () => broker.published('NBIRTH').length === 2);
    expect(metricValue(broker.published('NBIRTH')[1]?.payload, 'Edge/Text')).toBe('two');
    expect(broker.published('NDATA').length).toBe(1);
  });
});

describe('a text that was not there before', () => {
  it('is told in a new birth: no data may come before its declaration', async () => {
    texts = [];
    await start(false);
    texts = [['Edge/Text', 'one']];
    await session.nodeChanged();
    await session.nodeChanged();
    await waitFor('the birth', () => broker.published('NBIRTH').length === 2);
    expect(metricValue(broker.published('NBIRTH')[1]?.payload, 'Edge/Text')).toBe('one');
    texts = [['Edge/Text', 'two']];
    await session.nodeChanged();
    await waitFor('the news', () => broker.published('NDATA').length === 1);
    expect(broker.published('NBIRTH').length).toBe(2);
  });
});

describe('requests of the server', () => {
  it('are passed on, a few of them, with what else the command says', async () => {
    await start(true);
    const many = Array.from({ length: 10 }, (_, i) => ['Certificate/Decision', `${i}`] as const);
    broker.command(command(['Config/Push', 'text'], ...many, rebirth));
    await waitFor('the rebirth', () => broker.published('NBIRTH').length === 2);
    expect(requests).toEqual([{ kind: 'config', text: 'text' }, ...['0', '1', '2'].map((text) => ({ kind: 'certificate', text }))]);
  });

  it.each([
    ['they are too long', true, ['Config/Push', 'x'.repeat(196_609)]],
    ['they are no text', true, ['Certificate/Decision', true]],
    ['nobody takes any', false, ['Config/Push', 'text']],
  ] as const)('are refused when %s', async (_, takesRequests, request) => {
    await start(takesRequests);
    broker.command(command(request, rebirth));
    await waitFor('the rebirth', () => broker.published('NBIRTH').length === 2);
    expect(requests).toEqual([]);
  });

  it('are refused when they are retained: they would be granted again at each connect', async () => {
    broker.command(command(['Config/Push', 'old']), true);
    await start(true);
    broker.command(command(['Config/Push', 'new']));
    await waitFor('the new one', () => requests.length > 0);
    expect(requests).toEqual([{ kind: 'config', text: 'new' }]);
  });
});
