import { createSimClock } from '@nhip/core/process/simulation/sim-clock';
import { createSimDisk } from '@nhip/core/process/simulation/sim-disk';
import { createSimRandom } from '@nhip/core/process/simulation/sim-random';
import { describe, expect, it, vi } from 'vitest';
import { checkMachineStatusSchema, schemas } from '../contract/schema-check.ts';
import type { Adapter } from './adapters/adapter.ts';
import { openOutbox } from './outbox/outbox.ts';
import { createPolicyStore } from './policy-store.ts';
import { createPseudonyms } from './pseudonym.ts';
import { createStatusStream, type MachineChange } from './status-stream.ts';
import { approvers, enterpriseId, policyYaml, startMs } from './testing/test-gateway.ts';

const alive = new AbortController().signal;
const product = 'vn.sector.machine-status';

async function openStream({ isOn = true, isEnabled = true } = {}) {
  const clock = createSimClock(startMs);
  const sim = createSimDisk();
  const env = { clock, random: createSimRandom(1), disk: sim.boot() };
  const outbox = await openOutbox(env, 'outbox');
  const policies = createPolicyStore(outbox, enterpriseId);
  const { digest } = await policies.propose(policyYaml({ url: 'https://x.vn/v1', status: isOn }), 'x', startMs);
  for (const by of approvers) await policies.approve(digest, by, startMs);
  const statusStream = { enabled: isEnabled, maxEvents: 3, machineClasses: { 'may-1': 'sewing_line' } };
  const config = { enterpriseId, establishmentId: 'nm-01', statusStream };
  const stream = createStatusStream({ env, config, policies, pseudonyms: createPseudonyms(env, 'keys'), recipient: 'sector-platform' });
  const sent: { readonly id: string; readonly data: Readonly<Record<string, unknown>> }[] = [];
  const adapter: Adapter = {
    kind: 'https',
    send: () => Promise.reject(new Error('no reports here')),
    sendEvents: async (batch) => {
      sent.push(...JSON.parse(Buffer.from(batch).toString('utf8')));
      return { refused: 0 };
    },
    close: async () => undefined,
  };
  const change = (machine: string): MachineChange => ({
    machine,
    state: 'fault',
    sinceMs: clock.now(),
    packmlState: 9,
    itemState: 'outOfService',
  });
  return { clock, sim, policies, stream, sent, adapter, change };
}

describe('the machine-status stream', () => {
  it('sends a state after a minute, under a pseudonym, with no more than the contract has', async () => {
    const { clock, stream, sent, adapter, change } = await openStream();
    stream.changed(change('may-1'));
    await clock.advance(59_000);
    await stream.pass(adapter, alive);
    expect(sent).toEqual([]);
    await clock.advance(1000);
    await stream.pass(adapter, alive);
    await stream.pass(adapter, alive);
    expect(sent).toHaveLength(1);
    expect(checkMachineStatusSchema(sent[0]?.data)).toEqual([]);
    expect(sent[0]?.data).toMatchObject({
      state: 'fault',
      machineClass: 'sewing_line',
      packmlState: 9,
      consentId: 'urn:agreement:2026-0012',
    });
    // The policy includes packmlState and not itemState.
    expect(sent[0]?.data).not.toHaveProperty('itemState');
    expect(JSON.stringify(sent)).not.toContain('may-1');
    expect(Object.keys(schemas.machineStatus.properties)).toEqual(expect.arrayContaining(Object.keys(sent[0]?.data ?? {})));
  });

  it('keeps and sends nothing unless both the switch and the policy are on', async () => {
    for (const off of [{ isOn: false }, { isEnabled: false }]) {
      const { clock, stream, sent, adapter, change } = await openStream(off);
      stream.changed(change('may-1'));
      await clock.advance(120_000);
      await stream.pass(adapter, alive);
      expect(sent).toEqual([]);
    }
  });

  it('forgets what waits when consent is taken back', async () => {
    const { clock, policies, stream, sent, adapter, change } = await openStream();
    stream.changed(change('may-1'));
    await clock.advance(59_000);
    await policies.revoke('sector-platform', product, 'giam-doc', clock.now());
    stream.check();
    await clock.advance(60_000);
    await stream.pass(adapter, alive);
    stream.changed(change('may-2'));
    await clock.advance(60_000);
    await stream.pass(adapter, alive);
    expect(sent).toEqual([]);
  });

  it('keeps what could not be sent, drops the oldest when too much waits, and counts it', async () => {
    const { clock, stream, sent, adapter, change } = await openStream();
    for (const machine of ['a', 'b', 'c', 'd']) stream.changed(change(machine));
    await clock.advance(60_000);
    await expect(stream.pass({ ...adapter, sendEvents: () => Promise.reject(new Error('down')) }, alive)).rejects.toThrow('down');
    await stream.pass(adapter, alive);
    expect([sent.length, stream.dropped()]).toEqual([3, 1]);
  });

  it('names a change alike when it is tried again, also in the next month, and counts what the recipient never takes', async () => {
    const { clock, stream, sent, adapter, change } = await openStream();
    await clock.advance(30 * 86_400_000);
    stream.changed(change('may-1'));
    await clock.advance(60_000);
    const lost = vi.fn(async (batch: Uint8Array, signal: AbortSignal) => {
      await adapter.sendEvents?.(batch, signal);
      throw new Error('the answer was lost');
    });
    await expect(stream.pass({ ...adapter, sendEvents: lost }, alive)).rejects.toThrow('lost');
    await clock.advance(2 * 86_400_000);
    await stream.pass({ ...adapter, sendEvents: async (...args) => ({ ...(await adapter.sendEvents?.(...args)), refused: 1 }) }, alive);
    expect([sent.length, sent[1]?.id, stream.dropped()]).toEqual([2, sent[0]?.id, 1]);
  });

  it('names a machine alike for a month, and then otherwise; the old key is destroyed', async () => {
    const { clock, sim } = await openStream();
    const disk = sim.boot();
    const names = createPseudonyms({ clock, random: createSimRandom(2), disk }, 'keys');
    const first = await names.of('may-1');
    expect(first).toMatch(/^m_[A-Za-z0-9_-]{22}$/);
    expect(await createPseudonyms({ clock, random: createSimRandom(3), disk }, 'keys').of('may-1')).toBe(first);
    await clock.advance(31 * 86_400_000);
    expect(await names.of('may-1')).not.toBe(first);
    expect(sim.files().filter((path) => path.startsWith('keys/'))).toEqual(['keys/status-2026-04.key']);
  });
});
