import { silentLog } from '@nhip/core/process/log';
import { createNodeClock } from '@nhip/core/process/node-clock';
import { createSimDisk, type SimDisk } from '@nhip/core/process/simulation/sim-disk';
import { createSimRandom } from '@nhip/core/process/simulation/sim-random';
import { decodeLossReport, type LossReport } from '@nhip/core/wire/loss';
import { decodeIdentity, encodeResend, type OutboxIdentity } from '@nhip/core/wire/outbox-identity';
import { dataType } from '@nhip/core/wire/sparkplug/datatype';
import { encodePayload } from '@nhip/core/wire/sparkplug/encode';
import type { Payload } from '@nhip/core/wire/sparkplug/payload';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDelivery, type Delivery } from './delivery.ts';
import { createDeviceTable } from './session/device-table.ts';
import { createMqttConnect } from './session/mqtt-connection.ts';
import { metricValue, type RecordingBroker, startRecordingBroker } from './session/testing/recording-broker.ts';
import { waitFor } from './testing/wait-for.ts';

let broker: RecordingBroker;
let starts = 0;
const deliveries: Delivery[] = [];

beforeEach(async () => {
  broker = await startRecordingBroker();
});
afterEach(async () => {
  await Promise.all(deliveries.splice(0).map((delivery) => delivery.stop()));
  await broker.close();
});

async function start(sim: SimDisk, maxBytes = 1_000_000): Promise<Delivery> {
  const devices = createDeviceTable();
  devices.add({ id: 'd', intervalMs: 0 }, [{ name: 'N', dataType: 'Double' }]);
  const connection = {
    url: broker.url,
    clientId: 'g/e',
    username: 'g/e',
    password: 'x',
    ca: undefined,
    keepaliveS: 10,
    connectTimeoutMs: 5000,
  };
  const delivery = createDelivery(
    {
      group: 'g',
      edge: 'e',
      maxPayloadBytes: 20_000,
      window: 16,
      backlogMessagesPerS: undefined,
      outbox: { maxBytes, commitDelayMs: 0, ledgerSlotBytes: 16_384 },
    },
    {
      env: { clock: createNodeClock(), random: createSimRandom(++starts), disk: sim.boot() },
      log: silentLog(),
      connect: createMqttConnect(connection),
      devices,
      onFatal: () => undefined,
    },
  );
  deliveries.push(delivery);
  await delivery.start();
  delivery.deviceChanged('d', true);
  return delivery;
}

const reading = (value: number) => [{ metric: 'N', value, timestampMs: 1000 + value, quality: 192 as const }];

function identityOf(payload: Payload | undefined, name: string): OutboxIdentity | undefined {
  const value = metricValue(payload, name);
  return value instanceof Uint8Array ? decodeIdentity(value, 0, value.length) : undefined;
}

function reports(): readonly LossReport[] {
  return broker.published('NDATA').flatMap(({ payload }) => {
    const text = metricValue(payload, 'Outbox/Loss');
    return typeof text === 'string' ? [decodeLossReport(text)] : [];
  });
}

const seqs = (): readonly number[] => broker.published('DDATA').flatMap(({ payload }) => identityOf(payload, 'Outbox/Identity')?.seq ?? []);

describe('delivery', () => {
  it('tells its numbers by name in every message, and what was released in births and node data', async () => {
    const delivery = await start(createSimDisk());
    for (let i = 0; i < 5; i++) await delivery.report('d', reading(i));
    await waitFor('the samples', () => seqs().length === 5);
    expect(broker.published('DBIRTH')[0]?.payload.metrics.find(({ name }) => name === 'Outbox/Identity')).toMatchObject({
      alias: undefined,
    });
    expect(broker.published('DDATA')[0]?.payload.metrics[0]).toMatchObject({ name: 'Outbox/Identity', alias: undefined });
    const born = broker.published('NBIRTH')[0]?.payload;
    expect(born?.metrics.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['Outbox/Loss', 'Outbox/Released', 'Outbox/PendingRecords', 'Outbox/Recorded', 'Outbox/Lost']),
    );
    expect(identityOf(born, 'Outbox/Released')?.seq).toBe(0);
    await waitFor('node data', () => broker.published('NDATA').length > 0, 10_000);
    const stream = identityOf(broker.published('DDATA')[0]?.payload, 'Outbox/Identity')?.stream;
    expect(identityOf(broker.published('NDATA')[0]?.payload, 'Outbox/Released')).toEqual({ stream, seq: 5 });
  });

  it('sends what a source kept from before as historical, in a message of its own, and births tell the current value', async () => {
    const delivery = await start(createSimDisk());
    await waitFor('the session', () => delivery.health().session.isOnline);
    const past = reading(7).map((each) => ({ ...each, isHistorical: true }));
    await delivery.report('d', [...past, ...reading(9)]);
    await waitFor('both', () => seqs().length === 2);
    const sent = broker.published('DDATA').map(({ payload }) => payload.metrics.slice(1));
    expect(sent).toMatchObject([[{ value: 7, isHistorical: true }], [{ value: 9 }]]);
    expect(sent[1]?.[0]?.isHistorical).toBeUndefined();
    delivery.deviceChanged('d', false);
    delivery.deviceChanged('d', true);
    await waitFor('a birth with a value', () => broker.published('DBIRTH').some(({ payload }) => metricValue(payload, 'N') === 9));
  });

  it('reports at QoS 1 what it gave up while the broker was away, until it is acknowledged, and sends the rest', async () => {
    const sim = createSimDisk();
    const { port } = broker;
    await broker.close();
    const delivery = await start(sim, 20_000);
    for (let i = 0; i < 600; i++) await delivery.report('d', reading(i));
    const { lost } = delivery.health();
    expect(lost).toBeGreaterThan(100);
    broker = await startRecordingBroker(port);
    await waitFor('everything', () => delivery.health().pendingRecords === 0 && reports().length > 0, 15_000);
    const [report] = reports();
    expect(report).toMatchObject({ reason: 'outboxQuota', seqFrom: 0, seqTo: lost, rows: [{ device: 'd', metric: 'N', samples: lost }] });
    expect(broker.published('NDATA').filter(({ payload }) => metricValue(payload, 'Outbox/Loss') !== undefined)).toMatchObject([
      { qos: 1 },
    ]);
    expect([...new Set(seqs())].sort((a, b) => a - b)).toEqual(Array.from({ length: 600 - lost }, (_, i) => lost + i));
  });

  it('sends a report again after a restart when nobody acknowledged it', async () => {
    const sim = createSimDisk();
    const { port } = broker;
    await broker.close();
    const first = await start(sim, 20_000);
    for (let i = 0; i < 600; i++) await first.report('d', reading(i));
    broker = await startRecordingBroker(port);
    broker.hold();
    await waitFor('the report', () => reports().length === 1, 15_000);
    const [report] = reports();
    await broker.close();
    await first.stop();
    broker = await startRecordingBroker(port);
    await start(sim, 20_000);
    await waitFor('the downtime', () => reports().some(({ reason }) => reason === 'agentDown'), 15_000);
    expect(reports()[0]).toEqual(report);
  });

  it('sends numbers again that the server asks for, and says which are gone', async () => {
    const delivery = await start(createSimDisk());
    for (let i = 0; i < 5; i++) await delivery.report('d', reading(i));
    await waitFor('the samples', () => seqs().length === 5 && delivery.health().pendingRecords === 0);
    const stream = identityOf(broker.published('DDATA')[0]?.payload, 'Outbox/Identity')?.stream ?? '';
    const ask = (from: number, to: number, of = stream) => {
      const value = encodeResend({ stream: of, from, to });
      broker.command(encodePayload({ metrics: [{ name: 'Outbox/Resend', dataType: dataType.Bytes, value }] }));
    };
    ask(1, 3);
    await waitFor('the samples again', () => seqs().length === 7);
    expect(seqs().slice(5)).toEqual([1, 2]);
    expect(broker.published('DDATA').at(-1)?.payload.metrics[1]?.isHistorical).toBe(true);
    ask(4, 9, '0'.repeat(32));
    await waitFor('the loss', () => reports().length === 1, 10_000);
    expect(reports()).toMatchObject([{ reason: 'outboxGone', stream: '0'.repeat(32), seqFrom: 4, seqTo: 9 }]);
  });
});
