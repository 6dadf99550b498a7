import { silentLog } from '@nhip/core/process/log';
import { createSimClock } from '@nhip/core/process/simulation/sim-clock';
import { decodePayload } from '@nhip/core/wire/sparkplug/decode';
import { describe, expect, it } from 'vitest';
import type { MetricDefinition } from '../driver.ts';
import type { MqttConnection } from './connection.ts';
import { createDeviceTable } from './device-table.ts';
import { createNodeMessages } from './node-messages.ts';

const config = { id: 'press', intervalMs: 1000 };
const metrics = (count: number): readonly MetricDefinition[] =>
  Array.from({ length: count }, (_, i) => ({ name: `Metric/${i}`, dataType: 'Double' }));
const [few, tooMany] = [metrics(10), metrics(1000)];

/** A session that is up, with one device, and what it published since it was last asked. */
function startSession(definitions: readonly MetricDefinition[]) {
  const devices = createDeviceTable();
  devices.add(config, definitions, { isAwaited: true });
  let published: string[] = [];
  const seqs: (number | undefined)[] = [];
  const connection: Pick<MqttConnection, 'publish'> = {
    async publish(topic, payload) {
      published.push(topic.split('/')[2] ?? '');
      seqs.push(decodePayload(payload).seq);
    },
  };
  const deps = { clock: createSimClock(), log: silentLog(), devices, unborn: new Set<string>() };
  const messages = createNodeMessages({ group: 'g', edge: 'e', maxPayloadBytes: 15_000 }, deps, connection as MqttConnection, 0);
  messages.birth([]);
  return {
    messages,
    seqs,
    reload(next: readonly MetricDefinition[]) {
      devices.replace(config, next);
      messages.deviceChanged(config.id, undefined);
    },
    taken(): readonly string[] {
      const since = published;
      published = [];
      return since;
    },
  };
}

describe('a device whose birth is too large for one message', () => {
  it('dies like every other one after a reload with fewer metrics', () => {
    const { messages, seqs, reload, taken } = startSession(tooMany);
    messages.deviceChanged('press', true);
    expect(taken()).toEqual(['NBIRTH']);
    reload(few);
    messages.deviceChanged('press', true);
    messages.deviceChanged('press', false);
    expect(taken()).toEqual(['DBIRTH', 'DDEATH']);
    expect(seqs).toEqual([0, 1, 2]);
  });

  it('dies too when the host knows it by a birth that did fit', () => {
    const { messages, reload, taken } = startSession(few);
    messages.deviceChanged('press', true);
    reload(tooMany);
    messages.deviceChanged('press', true);
    expect(taken()).toEqual(['NBIRTH', 'DBIRTH']);
    messages.deviceChanged('press', false);
    expect(taken()).toEqual(['DDEATH']);
    messages.birth([]);
    messages.deviceChanged('press', false);
    expect(taken()).toEqual(['NBIRTH']);
  });
});
