import { metricNames } from '@nhip/core/wire/vocabulary';
import { expect, it } from 'vitest';
import { createLiveHub } from './hub.ts';
import { createStateChanges } from './state-changes.ts';

const [a, b] = ['hoalac/may/M01', 'hoalac/may/M02'];

function openHub() {
  const hub = createLiveHub({ epoch: 'e', plant: null });
  const say = (machine: string, t: number, state: string) => {
    hub.applyConnection(machine, 'online');
    hub.applySample(machine, metricNames.state, t, state, 192);
  };
  say(a, 1000, 'running');
  hub.tick(1000);
  return { hub, say, changes: createStateChanges(hub) };
}

it('tells each change of a state once, with its time at the machine, and nothing of what was there before', () => {
  const { hub, say, changes } = openHub();
  expect(changes.read(hub.tick(1500))).toEqual([]);
  say(a, 2000, 'fault');
  say(b, 2500, 'setup');
  expect(changes.read(hub.tick(3000))).toEqual([
    { machine: a, state: 'fault', sinceMs: 2000 },
    { machine: b, state: 'setup', sinceMs: 2500 },
  ]);
  say(a, 4000, 'fault');
  hub.applySample(a, metricNames.countGood, 4000, 7, 192);
  expect(changes.read(hub.tick(4100))).toEqual([]);
  // There and back within a tick is no change.
  say(a, 4200, 'running');
  say(a, 4300, 'fault');
  expect(changes.read(hub.tick(5000))).toEqual([]);
  expect(changes.read(null)).toEqual([]);
});

it('tells a lost machine as unknown, and when it is back again, each later than before', () => {
  const { hub, say, changes } = openHub();
  hub.applyConnection(a, 'agentOffline');
  expect(changes.read(hub.tick(2000))).toEqual([{ machine: a, state: 'unknown', sinceMs: 2000 }]);
  hub.applyConnection(a, 'online');
  expect(changes.read(hub.tick(3000))).toEqual([{ machine: a, state: 'running', sinceMs: 3000 }]);
  // The clock of the edge is behind that of the server.
  say(a, 2500, 'idle');
  expect(changes.read(hub.tick(3001))).toEqual([{ machine: a, state: 'idle', sinceMs: 3010 }]);
});
