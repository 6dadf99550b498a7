import { createPublicKey } from 'node:crypto';
import { createSimClock } from '@nhip/core/process/simulation/sim-clock';
import { createSimDisk } from '@nhip/core/process/simulation/sim-disk';
import { createSimRandom } from '@nhip/core/process/simulation/sim-random';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { digestOfBytes } from '../contract/digest.ts';
import { generateKey, kidOf } from '../contract/keys.ts';
import { periodAt } from '../contract/period.ts';
import { leavesOf } from '../contract/pointer.ts';
import { parsePolicy, policyDigest } from '../contract/policy.ts';
import { policyProblems } from '../contract/policy-check.ts';
import type { ProductionReport } from '../contract/report.ts';
import { exampleContent } from '../contract/testing/example-report.ts';
import { detailView } from './desk-view.ts';
import { makeReport, writeFiles } from './make-report.ts';
import { openOutbox } from './outbox/outbox.ts';
import { dayMs, enterpriseId, policyYaml, startMs } from './testing/test-gateway.ts';
import { uuidV7 } from './uuid.ts';

const pointers = [
  '/coverage',
  '/coverage/clockMaxSkewMs',
  '/machines',
  '/machines/downtimeByReason',
  '/machines/downtimeByReason/*/events',
  '/production',
  '/production/output',
  '/production/output/*/scrap',
  '/production/output/*/ratedCapacity',
  '/production/output/*/idealSeconds',
  '/production/kpi',
  '/production/kpi/failureEvents',
  '/energy',
  '/energy/*/exported',
  '/quality',
  '/quality/flags',
  '/lineage',
  '/lineage/sourceHash',
  '/reporter/communeCode',
];
/** A value that stands at one place only tells when it gets out by another way, such as a note or a sum. */
const marked = {
  ...exampleContent,
  reporter: { ...exampleContent.reporter, communeCode: '27007' },
  coverage: { ...exampleContent.coverage, clockMaxSkewMs: 918_273 },
  lineage: { agent: 'nhip/7.7.7', sourceHash: `sha-256:${'e'.repeat(64)}` },
};

it('no excluded pointer is ever in the bytes that leave, and the bytes shown are the bytes kept for sending', async () => {
  const clock = createSimClock(startMs + 2 * dayMs);
  const env = { clock, random: createSimRandom(1), disk: createSimDisk().boot() };
  const outbox = await openOutbox(env, 'outbox');
  const key = { kid: kidOf(enterpriseId, 'k1'), ...generateKey() };
  let left = 0;
  const some = fc.uniqueArray(fc.constantFrom(...pointers), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(some, fc.boolean(), some, async (chosen, isWhole, excluded) => {
      // Half of the policies include and keep what the contract cannot do without.
      const include = isWhole ? [...new Set(['/coverage', '/machines', '/production', ...chosen])] : chosen;
      const exclude = excluded.filter((pointer) => !isWhole || !['/coverage', '/machines', '/production'].includes(pointer));
      const parsed = parsePolicy(JSON.parse(policyYaml({ url: 'https://sector.example.vn/v1', include, exclude })));
      fc.pre(parsed.ok);
      if (!parsed.ok) return;
      const { policy } = parsed;
      expect(policyProblems(policy)).toEqual([]);
      const version = { digest: policyDigest(policy), policy, yaml: '', proposedBy: 'x', proposedAtMs: 0, approvals: [] };
      const period = periodAt(startMs, 'P1D');
      const draft = { recipient: 'sector-platform', period, content: { ...marked, reportId: uuidV7(env) }, sourceDigest: 'x', source: {} };
      const made = makeReport(draft, version, { env, outbox, key });
      await writeFiles(outbox, made);
      const bytes = await outbox.files.read('bytes', made.item.id);
      const text = bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8');
      const detail = detailView(made.item, { approvers: [], policy, content: marked, ...(text === undefined ? {} : { text }) });
      if (text === undefined || bytes === undefined) {
        // Where the contract needs what the policy keeps back, nothing leaves at all.
        expect(made.item).toMatchObject({ state: 'rejected', problem: { by: 'policy' } });
        expect(detail.leaves).toEqual([]);
      } else {
        left++;
        expect(digestOfBytes(bytes)).toBe(made.item.digest);
        const report = JSON.parse(text) as ProductionReport;
        const paths = leavesOf(report).map(({ path }) => `/${path.map((each) => (/^\d+$/.test(each) ? '*' : each)).join('/')}`);
        for (const own of exclude) expect(paths.filter((path) => !isEmptyList(path) && isUnder(path, own))).toEqual([]);
        const allowed = (pointer: string): boolean =>
          include.some((own) => isUnder(pointer, own)) && !exclude.some((own) => isUnder(pointer, own));
        expect(text.includes('918273')).toBe(allowed('/coverage/clockMaxSkewMs'));
        expect(text.includes('27007')).toBe(allowed('/reporter/communeCode'));
        expect(text.includes('e'.repeat(64))).toBe(allowed('/lineage/sourceHash'));
        // What people are told is what the bytes have.
        expect(detail.leaves.length + Object.keys(report.sharing).length).toBeLessThanOrEqual(leavesOf(report).length);
        expect(detail.stays.map(({ pointer }) => pointer)).not.toContain('/revision');
      }
    }),
    { numRuns: 300 },
  );
  expect(left).toBeGreaterThan(20);
  expect(createPublicKey(key.privateKey).asymmetricKeyType).toBe('ed25519');
});

/** The contract asks for these lists; empty ones say nothing. */
function isEmptyList(path: string): boolean {
  return ['/energy', '/production/output', '/quality/flags'].includes(path) || path.startsWith('/quality/flags/');
}

function isUnder(path: string, pointer: string): boolean {
  return path === pointer || path.startsWith(`${pointer}/`);
}
