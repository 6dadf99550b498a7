import { describe, expect, it } from 'vitest';
import type { LogRecord } from '../log/log-bus.ts';
import type { LossReport } from '../wire/loss.ts';
import { outboxLossMetric } from '../wire/outbox-identity.ts';
import { dataType } from '../wire/sparkplug/datatype.ts';
import { encodePayload } from '../wire/sparkplug/encode.ts';
import type { Metric } from '../wire/sparkplug/payload.ts';
import { createDecoder } from './decoder.ts';
import { SampleBatch, SeriesTable } from './sample-batch.ts';
import {
  arrivalMs,
  bdSeq,
  identity,
  identityDeclaration,
  logRecord,
  lossReport,
  namedIdentity,
  released,
  rowsOf,
  sparkplug,
  streamId,
} from './testing/messages.ts';

function rig() {
  const series = new SeriesTable();
  const decoder = createDecoder(series);
  return (record: LogRecord) => {
    const batch = new SampleBatch(series, 4);
    return { ...decoder.decode(record, batch), rows: rowsOf(batch) };
  };
}

const nbirth = sparkplug(0, 'NBIRTH', '', 0, [bdSeq(7), released(1, 40)]);
const dbirth = sparkplug(1, 'DBIRTH', 'd', 1, [identityDeclaration(1), { name: 'A', alias: 2, dataType: dataType.Double, value: null }]);
const report: LossReport = {
  ledger: 'ab'.repeat(16),
  no: 3,
  reason: 'outboxQuota',
  stream: streamId(1),
  seqFrom: 5,
  seqTo: 9,
  fromMs: 10,
  toMs: 20,
  rows: [],
};
/** Alias 2 with a value in the extension field: sound frame, no content. */
const broken = [0x12, 5, 0x10, 2, 0x9a, 0x01, 0];
/** Alias 2 with a metric that runs past its own end. */
const torn = [0x12, 3, 0x10, 2, 0x69];

function raw(metrics: readonly Metric[], ...rest: readonly number[][]): LogRecord {
  return logRecord(5, 'spBv1.0/g/DDATA/e/d', Uint8Array.from([...encodePayload({ metrics }), ...rest.flat()]));
}

describe('the numbers of a message', () => {
  it('are known by name, also without any birth', () => {
    const decode = rig();
    const {
      identity: found,
      identityCount,
      rejects,
      rows,
    } = decode(
      sparkplug(0, 'DDATA', 'd', 0, [namedIdentity(1, 70), { alias: 2, timestampMs: arrivalMs - 9, value: 1 }, { name: 'B', value: 2 }]),
    );
    expect(found).toEqual({ stream: streamId(1), seq: 70 });
    expect(identityCount).toBe(2);
    expect(rows).toEqual([]);
    expect(rejects).toMatchObject([
      {
        reason: 'beforeBirth',
        samples: 2,
        rows: [
          { machine: 'g/e/d', metric: '', samples: 1, fromMs: arrivalMs - 9, toMs: arrivalMs - 9, places: [[0, 1]] },
          { machine: 'g/e/d', metric: 'B', samples: 1, fromMs: arrivalMs, places: [[1, 2]] },
        ],
      },
    ]);
  });

  it('are known by the alias of the birth, too, and number the samples', () => {
    const decode = rig();
    decode(nbirth);
    decode(dbirth);
    for (const mark of [identity(1, 1, 999_999), namedIdentity(1, 999_999)]) {
      const { identityCount, rows, firstTick } = decode(
        sparkplug(2, 'DDATA', 'd', undefined, [mark, { alias: 2, value: 1 }, { alias: 2, value: 2 }]),
      );
      expect([identityCount, firstTick, rows.map(({ tick }) => tick)]).toEqual([2, 999_999, [999_999, 0]]);
    }
  });

  it.each([
    ['a value that nobody defined', broken],
    ['a value that is torn', torn],
  ])('survive %s: the samples are counted, none is taken', (_, metric) => {
    const decode = rig();
    decode(nbirth);
    decode(dbirth);
    const {
      identity: found,
      identityCount,
      rejects,
      rows,
    } = decode(raw([namedIdentity(1, 8), { alias: 2, dataType: dataType.Double, value: 1 }], metric, broken));
    expect([found?.seq, identityCount, rows]).toEqual([8, 3, []]);
    expect(rejects).toMatchObject([
      { reason: 'malformedPayload', samples: 3, rows: [{ machine: 'g/e/d', metric: '', samples: 3, fromMs: arrivalMs, places: [[0, 3]] }] },
    ]);
  });

  it('are not known when the frame is torn, or when there is more than one identity', () => {
    const decode = rig();
    decode(nbirth);
    decode(dbirth);
    const value: Metric = { alias: 2, dataType: dataType.Double, value: 1 };
    const tornFrame = raw([namedIdentity(1, 8), value], [0x12, 200]);
    const twice = raw([namedIdentity(1, 8), namedIdentity(1, 9), value]);
    const late = raw([value, namedIdentity(1, 9), value]);
    const wrong = raw([{ ...namedIdentity(1, 8), value: Uint8Array.of(1) }, value]);
    const found = [tornFrame, twice, late, wrong].map(decode);
    expect(found.map(({ identity: id, identityCount, rows }) => [id, identityCount, rows])).toEqual(Array(4).fill([undefined, 0, []]));
    expect(found.map(({ rejects }) => rejects.map(({ reason, samples }) => [reason, samples]))).toEqual([
      [['malformedPayload', 1]],
      [['malformedPayload', 1]],
      [['malformedPayload', 2]],
      [['malformedPayload', 1]],
    ]);
  });
});

describe('what the node says of its outbox', () => {
  it('comes in NBIRTH and NDATA, and makes no series', () => {
    const decode = rig();
    expect(decode(nbirth)).toMatchObject({ released: { stream: streamId(1), seq: 40 }, losses: [], rejects: [], rows: [] });
    const node = { name: 'Edge/Cpu', value: 5, dataType: dataType.Double };
    const found = decode(sparkplug(1, 'NDATA', '', 1, [node, released(1, 50), lossReport(report), lossReport({ ...report, no: 4 })]));
    expect(found).toMatchObject({ released: { seq: 50 }, losses: [report, { ...report, no: 4 }], identity: undefined, identityCount: 0 });
    expect(found.rejects).toMatchObject([{ reason: 'unknownMetric', samples: 1 }]);
  });

  it('is for the node only', () => {
    const decode = rig();
    decode(nbirth);
    decode(dbirth);
    const found = decode(sparkplug(2, 'DDATA', 'd', 2, [namedIdentity(1, 3), released(1, 50), lossReport(report), { alias: 2, value: 1 }]));
    expect(found).toMatchObject({ released: undefined, losses: [], identityCount: 1, rejects: [] });
  });

  it('is refused whole when it is malformed, or when an edge says what only the server can know', () => {
    const decode = rig();
    decode(nbirth);
    const bad = [
      [{ name: outboxLossMetric, dataType: dataType.String, value: '{}' }],
      [released(1, 4), { name: outboxLossMetric, dataType: dataType.Double, value: 1 }],
      [lossReport({ ...report, reason: 'deadLettered' })],
      [lossReport({ ...report, reason: 'outboxReplaced' })],
      [released(1, 4), released(1, 5)],
    ];
    for (const metrics of bad) {
      const found = decode(sparkplug(2, 'NDATA', '', undefined, metrics));
      expect(found).toMatchObject({ released: undefined, losses: [], rows: [] });
      expect(found.rejects).toMatchObject([{ reason: 'malformedPayload', samples: 0, rows: [] }]);
    }
  });

  it('does not count what a birth could not declare as samples of a series', () => {
    const series = new SeriesTable();
    const decoder = createDecoder(series, { maxSeriesPerEdge: 1 });
    const metrics = ['A', 'B', 'C'].map((name, i) => ({ name, alias: i, dataType: dataType.Double, value: 1 }));
    const { rejects } = decoder.decode(sparkplug(0, 'NBIRTH', '', 0, metrics), new SampleBatch(series, 4));
    expect(rejects).toMatchObject([{ reason: 'tooManySeries', samples: 2, rows: [] }]);
  });
});
