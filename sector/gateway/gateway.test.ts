import { createPublicKey } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { digestOfBytes } from '../contract/digest.ts';
import { type Receipt, verifyReceipt } from '../contract/receipt.ts';
import type { ProductionReport } from '../contract/report.ts';
import { verifyReport } from '../contract/signature.ts';
import { type ModelPlatform, startModelPlatform } from './testing/model-platform.ts';
import { approvers, createTestGateway, dayMs, hourMs, policyYaml, startMs, type TestGateway } from './testing/test-gateway.ts';
import { createTestPlant } from './testing/test-plant.ts';

let platform: ModelPlatform;
beforeAll(async () => {
  platform = await startModelPlatform();
});
afterAll(() => platform.close());
beforeEach(() => {
  platform.trouble = undefined;
  (platform.series as Map<string, Buffer[]>).clear();
});

const plant = createTestPlant({ seed: 1, machines: 3, fromMs: startMs, toMs: startMs + 10 * dayMs, lateEvery: 1e9, now: () => 0 });

function plantGateway(options: Partial<Parameters<typeof createTestGateway>[0]> = {}): TestGateway {
  return createTestGateway({
    figures: () => ({ site: async ({ fromMs, toMs }) => plant.truth(fromMs, toMs) }),
    platformKey: platform.key.privateKey,
    secret: platform.clientSecret,
    ...options,
  });
}

async function withPolicy(test: TestGateway, yaml = policyYaml({ url: platform.url })): Promise<void> {
  test.setPolicy(yaml);
  await test.gateway.start();
  await test.gateway.work();
  await test.approveAll();
}

async function held(test: TestGateway) {
  await test.gateway.work();
  return (await test.gateway.desk.items({})).items;
}

describe('the gateway', () => {
  it('sends nothing without a policy, nor with one that is not approved by two', async () => {
    const test = plantGateway();
    await test.gateway.start();
    await test.clock.advance(2 * dayMs);
    expect(await held(test)).toEqual([]);
    expect((await test.gateway.desk.overview()).alarms).toMatchObject([{ code: 'policy_missing' }]);
    test.setPolicy(policyYaml({ url: platform.url }));
    await test.gateway.work();
    const [policy] = await test.gateway.desk.policies();
    expect(policy).toMatchObject({ state: 'waiting', proposedBy: 'policy-file', difference: [{ recipient: 'sector-platform' }] });
    await test.gateway.desk.approvePolicy(policy?.digest ?? '', approvers[0]);
    expect(await held(test)).toEqual([]);
    await expect(test.gateway.desk.approvePolicy(policy?.digest ?? '', approvers[0])).rejects.toMatchObject({ code: 'already_approved' });
    await expect(test.gateway.desk.approvePolicy(policy?.digest ?? '', 'khach')).rejects.toMatchObject({ code: 'not_approver' });
    await test.gateway.stop();
  });

  it('brings a day from the figures to a verified receipt; what was shown is byte for byte what arrives', async () => {
    const test = plantGateway();
    await withPolicy(test);
    await test.clock.advance(dayMs + hourMs);
    const [item] = await held(test);
    expect(item).toMatchObject({ state: 'held', revision: 1, period: { duration: 'P1D', from: '2026-03-01T00:00:00+07:00' }, approvers });
    const shown = await test.gateway.desk.item(item?.id ?? '');
    expect(digestOfBytes(Buffer.from(shown.text ?? ''))).toBe(item?.digest);
    expect(shown.leaves.find(({ pointer }) => pointer === '/machines/secondsByState/running')?.value.vi).toMatch(/giây máy/);

    await test.gateway.desk.approve(shown.id, approvers[0], shown.digest ?? '');
    await expect(test.gateway.desk.approve(shown.id, approvers[1], `sha-256:${'0'.repeat(64)}`)).rejects.toMatchObject({
      code: 'other_bytes',
    });
    await test.gateway.desk.approve(shown.id, approvers[1], shown.digest ?? '');
    await test.gateway.work();
    // Approved, but the preview of two hours is not over.
    expect((await test.gateway.desk.item(shown.id)).state).toBe('approved');
    expect(platform.series.size).toBe(0);
    await test.clock.advance(2 * hourMs);
    await test.gateway.work();

    const [bytes] = [...platform.series.values()][0] ?? [];
    expect(bytes?.toString('utf8')).toBe(shown.text);
    const report = JSON.parse(shown.text ?? '') as ProductionReport;
    expect(verifyReport(report, createPublicKey(test.key.privateKey))).toEqual({ ok: true });
    const done = await test.gateway.desk.item(shown.id);
    expect(done).toMatchObject({ state: 'accepted', receipt: { receiptId: shown.id } });
    expect(done.history.map(({ to }) => to)).toEqual(['filtered', 'held', 'approved', 'sealed', 'sending', 'accepted']);
    expect(JSON.parse((await test.gateway.desk.receipt(shown.id)).text)).toMatchObject({ digest: shown.digest });
    await test.gateway.stop();
    await test.gateway.stop();
  });

  it('counts an answer without a receipt of the platform as nothing, and goes on until there is one', async () => {
    const test = plantGateway({ approval: 'standing' });
    await withPolicy(test, policyYaml({ url: platform.url, hold: 'PT0M' }));
    const troubles = ['refuse-connection', 'lost', 'busy', 'forged-receipt', 'token-forgotten'] as const;
    let count = 0;
    platform.trouble = () => troubles[count++] ?? 'none';
    await test.clock.advance(dayMs);
    let states: string[] = [];
    for (let tries = 0; tries < 60 && !states.includes('duplicate'); tries++) {
      await test.clock.advance(60_000);
      await test.gateway.work();
      states = (await test.gateway.desk.items({})).items.map(({ state }) => state);
      expect(states).not.toContain('accepted');
    }
    expect(states).toEqual(['duplicate']);
    expect(count).toBeGreaterThan(troubles.length);
    const [item] = (await test.gateway.desk.items({})).items;
    const receipt = JSON.parse((await test.gateway.desk.receipt(item?.id ?? '')).text) as Receipt;
    expect(verifyReceipt(receipt, undefined, createPublicKey(platform.key.privateKey))).toEqual({ ok: true });
    expect(platform.conflicts).toEqual([]);
    expect([...platform.series.values()].map((revisions) => revisions.length)).toEqual([1]);
    await test.gateway.stop();
  });

  it('holds what a person holds, and stops at once what is revoked', async () => {
    const test = plantGateway({ approval: 'standing', periods: ['PT1H'] });
    await withPolicy(test);
    await test.clock.advance(hourMs);
    const [item] = await held(test);
    await test.gateway.desk.hold(item?.id ?? '', 'quan-doc');
    await test.clock.advance(2 * hourMs + 60_000);
    await test.gateway.work();
    expect(platform.series.size).toBe(0);
    await test.gateway.desk.release(item?.id ?? '', 'quan-doc');
    await test.gateway.work();
    expect(platform.series.size).toBe(1);
    await test.gateway.desk.revoke('sector-platform', 'vn.sector.production-report', 'giam-doc');
    await test.clock.advance(10 * hourMs);
    const items = await held(test);
    expect(platform.series.size).toBe(1);
    expect(items.map(({ state }) => state).sort()).toEqual(['accepted', 'withdrawn', 'withdrawn']);
    expect((await test.gateway.desk.overview()).recipients).toMatchObject([{ sharing: 'revoked', canRevoke: true }]);
    // Only a later version that two people approve shares again, and not what happened meanwhile.
    await test.gateway.desk.proposePolicy(policyYaml({ url: platform.url, version: 2, hold: 'PT0M' }), 'quan-doc');
    await test.approveAll();
    await test.gateway.work();
    await test.clock.advance(2 * hourMs);
    await test.gateway.work();
    const fresh = (await held(test)).filter(({ policy }) => policy.version === 2);
    expect(fresh.map(({ state, period }) => [state, period.from])).toEqual([['accepted', '2026-03-01T14:00:00+07:00']]);
    expect(platform.conflicts).toEqual([]);
    await test.gateway.stop();
  });

  it('does not revoke what a law asks for', async () => {
    const test = plantGateway();
    await withPolicy(test, policyYaml({ url: platform.url, legalBasis: 'statutory' }));
    const revoked = test.gateway.desk.revoke('sector-platform', 'vn.sector.production-report', 'giam-doc');
    await expect(revoked).rejects.toMatchObject({ code: 'statutory', text: { vi: /pháp luật/ } });
    await test.gateway.stop();
  });

  it('makes again under a new policy what waits, and shows before what the policy changes', async () => {
    const test = plantGateway();
    await withPolicy(test);
    await test.clock.advance(dayMs);
    const [before] = await held(test);
    const next = await test.gateway.desk.proposePolicy(policyYaml({ url: platform.url, version: 2, exclude: ['/energy'] }), 'quan-doc');
    const words = next.difference?.[0]?.words.map(({ vi }) => vi).join('\n');
    expect(words).toContain('Từ nay giữ lại nhà máy: Năng lượng: dạng năng lượng');
    expect((await held(test))[0]?.id).toBe(before?.id);
    await test.approveAll();
    const [after, old] = await held(test);
    expect(old).toMatchObject({ id: before?.id, state: 'superseded' });
    expect(after).toMatchObject({ state: 'held', revision: 1, policy: { version: 2 }, approvals: [] });
    expect((await test.gateway.desk.item(after?.id ?? '')).text).not.toContain('electricity_grid');
    await test.gateway.stop();
  });

  it('lets nobody approve who is not named by the version before', async () => {
    const test = plantGateway();
    await withPolicy(test);
    const yaml = policyYaml({ url: platform.url, version: 2, approvers: ['ke-la-1', 'ke-la-2'] });
    const { digest } = await test.gateway.desk.proposePolicy(yaml, 'ke-la-1');
    await expect(test.gateway.desk.approvePolicy(digest, 'ke-la-1')).rejects.toMatchObject({ code: 'not_approver' });
    await expect(test.gateway.desk.proposePolicy(policyYaml({ url: platform.url, hold: 'PT0M' }), 'x')).rejects.toMatchObject({
      code: 'policy_invalid',
    });
    await test.gateway.stop();
  });

  it('takes a report back with a revision, after which the series is left alone', async () => {
    const test = plantGateway({ approval: 'standing' });
    await withPolicy(test, policyYaml({ url: platform.url, hold: 'PT0M' }));
    await test.clock.advance(dayMs);
    const [item] = await held(test);
    expect(item?.state).toBe('accepted');
    await test.gateway.desk.withdraw(item?.id ?? '', 'giam-doc');
    const [withdrawal] = await held(test);
    expect(withdrawal).toMatchObject({ state: 'accepted', revision: 2, status: 'withdrawn' });
    await test.clock.advance(hourMs);
    expect(await held(test)).toHaveLength(2);
    expect(platform.conflicts).toEqual([]);
    await test.gateway.stop();
  });

  it('shows a refusal and tries again only when a person asks or the content changes', async () => {
    const test = plantGateway({ approval: 'standing' });
    await withPolicy(test, policyYaml({ url: platform.url, hold: 'PT0M' }));
    platform.trouble = () => 'reject';
    await test.clock.advance(dayMs);
    const [item] = await held(test);
    expect(item).toMatchObject({ state: 'rejected', problem: { by: 'platform', code: 'E104', pointer: '/production/output/0' } });
    platform.trouble = undefined;
    await test.clock.advance(hourMs);
    expect(await held(test)).toHaveLength(1);
    await test.gateway.desk.release(item?.id ?? '', 'giam-doc');
    const [again, old] = await held(test);
    expect([again?.state, again?.revision, old?.state]).toEqual(['accepted', 1, 'superseded']);
    await test.gateway.stop();
  });
});
