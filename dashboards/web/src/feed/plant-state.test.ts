import type { LiveFrame, MachinePatch, MachineView, PlantView } from '@nhip/core/wire/live';
import { machineStates } from '@nhip/core/wire/vocabulary';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyFrame, blankMachine, emptyPlant, type PlantState } from './plant-state.ts';

const plant: PlantView = { name: { vi: 'Xưởng', en: 'Plant' }, timeZone: 'Asia/Ho_Chi_Minh', lines: [], shift: null };

/** The server's side of the protocol, as its contract describes it. */
function createServer() {
  let epochNumber = 1;
  let seq = 0;
  const machines = new Map<string, MachineView>();
  const epoch = () => `e${epochNumber}`;
  return {
    machines,
    delta(patches: readonly MachinePatch[], removed: readonly string[]): LiveFrame {
      seq += 1;
      const sent = patches.map((patch) => (machines.has(patch.id) ? patch : { ...blankMachine(patch.id), ...patch }));
      for (const patch of sent) machines.set(patch.id, { ...(machines.get(patch.id) ?? blankMachine(patch.id)), ...patch });
      for (const id of removed) machines.delete(id);
      return { k: 'd', epoch: epoch(), seq, t: seq, machines: sent, removed };
    },
    heartbeat: (): LiveFrame => ({ k: 'hb', epoch: epoch(), seq, t: seq }),
    snapshot: (): LiveFrame => ({ k: 'snap', epoch: epoch(), seq, t: seq, plant, machines: [...machines.values()] }),
    restart(): void {
      epochNumber += 1;
      seq = 0;
    },
  };
}

const ids = ['g/e/a', 'g/e/b', 'g/e/c', 'g/e/d'];
const patch: fc.Arbitrary<MachinePatch> = fc.record(
  { id: fc.constantFrom(...ids), state: fc.constantFrom(...machineStates), countGood: fc.nat(999), reason: fc.option(fc.string()) },
  { requiredKeys: ['id'] },
);
const happening = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('delta' as const), patches: fc.array(patch, { maxLength: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('remove' as const), id: fc.constantFrom(...ids) }) },
  { weight: 2, arbitrary: fc.constant({ do: 'heartbeat' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'restart' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'snapshot' as const }) },
);
/** What the network does to a frame: how often it arrives, and how far behind its place. */
const fate = fc.record({ copies: fc.constantFrom(1, 1, 1, 0, 2), delay: fc.constantFrom(0, 0, 0, 1, 3, 9) });

describe('applyFrame', () => {
  it('ends equal to the server whatever was dropped, doubled, reordered or restarted', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(happening, fate), { maxLength: 40 }), (story) => {
        const server = createServer();
        const onTheWay: { at: number; frame: LiveFrame }[] = [{ at: 0, frame: server.snapshot() }];
        for (const [index, [event, { copies, delay }]] of story.entries()) {
          if (event.do === 'restart') server.restart();
          const frame =
            event.do === 'delta'
              ? server.delta(event.patches, [])
              : event.do === 'remove'
                ? server.delta([], [event.id])
                : event.do === 'heartbeat'
                  ? server.heartbeat()
                  : server.snapshot();
          for (let copy = 0; copy < copies; copy += 1) onTheWay.push({ at: index + 1 + delay + copy, frame });
        }
        let state: PlantState = emptyPlant;
        for (const { frame } of onTheWay.sort((a, b) => a.at - b.at)) state = applyFrame(state, frame).state;

        const heard = applyFrame(state, server.heartbeat());
        if (heard.outcome === 'resync') state = applyFrame(heard.state, server.snapshot()).state;
        expect(Object.fromEntries(state.machines)).toEqual(Object.fromEntries(server.machines));
      }),
      { numRuns: 500 },
    );
  });

  it('asks for a snapshot before the first one, after a gap and after a restart of the server', () => {
    const server = createServer();
    expect(applyFrame(emptyPlant, server.heartbeat()).outcome).toBe('resync');
    const { state } = applyFrame(emptyPlant, server.snapshot());
    server.delta([{ id: 'g/e/a', state: 'fault' }], []);
    const late = applyFrame(state, server.delta([{ id: 'g/e/a', state: 'running' }], []));
    expect(late.outcome).toBe('resync');
    expect(late.state).toBe(state);
    server.restart();
    expect(applyFrame(state, server.heartbeat()).outcome).toBe('resync');
  });

  it('names the machines to draw again', () => {
    const server = createServer();
    server.delta([{ id: 'g/e/a' }, { id: 'g/e/b' }], []);
    const { state, changed } = applyFrame(emptyPlant, server.snapshot());
    expect(changed).toBe('all');
    const next = applyFrame(state, server.delta([{ id: 'g/e/c', state: 'idle' }], ['g/e/b']));
    expect(next.changed).toEqual(['g/e/c', 'g/e/b']);
    expect([...next.state.machines.keys()]).toEqual(['g/e/a', 'g/e/c']);
  });
});
