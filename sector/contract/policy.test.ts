import { describe, expect, it } from 'vitest';
import { activeProduct, parsePolicy, policyDigest, sharingOf, type Transform, waitMs } from './policy.ts';
import { examplePolicy, exampleProduct } from './testing/example-policy.ts';

/** Problems of the example policy with parts of its product replaced. */
function problemsOf(product: object): readonly string[] {
  const parsed = parsePolicy(examplePolicy(product));
  return parsed.ok ? [] : parsed.problems;
}

it('reads a sound policy', () => {
  expect(parsePolicy(examplePolicy())).toEqual({ ok: true, policy: examplePolicy() });
});

it('has a digest of its content, whatever the order of its keys', () => {
  const reordered = Object.fromEntries(Object.entries(examplePolicy()).reverse());
  expect(policyDigest(reordered as ReturnType<typeof examplePolicy>)).toBe(policyDigest(examplePolicy()));
  expect(policyDigest(examplePolicy({ exclude: [] }))).not.toBe(policyDigest(examplePolicy()));
  expect(sharingOf(examplePolicy(), 'sector-platform')).toMatchObject({
    policyVersion: 3,
    policyDigest: policyDigest(examplePolicy()),
    agreementId: 'urn:agreement:2026-0012',
  });
  expect(() => sharingOf(examplePolicy(), 'nobody')).toThrow(/no recipient/);
});

describe('refuses', () => {
  it.each<[string, object, RegExp]>([
    [
      'a slip in exclude, which would let something leave',
      { exclude: ['/machines/downtimeByReasons'] },
      /exclude\/0: .* has no \/machines\/downtimeByReasons/,
    ],
    ['an index into a list', { include: ['/energy/0'] }, /include\/0.*entered by \*/],
    ['an excluded identity', { exclude: ['/reporter'] }, /cannot be without \/reporter\/enterpriseId/],
    ['a dropped period', { transform: [{ path: '/period/dayStart', op: 'drop' }] }, /cannot be without \/period/],
    ['excluded quality', { exclude: ['/quality/flags'] }, /leave .* out of include/],
    ['a chosen signature', { include: ['/signature'] }, /not for a policy/],
    ['rounded text', { transform: [{ path: '/energy/*/carrier', op: 'round', arg: 2 }] }, /no numbers to round/],
    ['a rounded revision', { transform: [{ path: '/revision', op: 'round', arg: 2 }] }, /no numbers to round/],
    ['half a second as a bucket', { transform: [{ path: '/coverage', op: 'bucket', arg: '0.5' }] }, /must be whole/],
    ['a bucket without a width', { transform: [{ path: '/energy/*/quantity', op: 'bucket', arg: '0' }] }, /above 0/],
    ['levels of a unit', { transform: [{ path: '/energy/*/unit', op: 'code_level', arg: 2 }] }, /code_level is for/],
    ['three digits of an industry', { transform: [{ path: '/activity/code', op: 'code_level', arg: 3 }] }, /at least four/],
    [
      'two changes of one value',
      { transform: [...(exampleProduct.transform as Transform[]), { path: '/production', op: 'round', arg: 1 }] },
      /changed by \/transform\/0/,
    ],
    ['an unknown transform', { transform: [{ path: '/energy', op: 'blur' }] }, /transform\/0/],
    ['an unknown key', { includes: [] }, /includes/],
  ])('%s', (_, product, message) => {
    expect(problemsOf(product).join('\n')).toMatch(message);
  });

  it('one approver, more approvals than approvers, a contract without its agreement, a country that is not Việt Nam', () => {
    const policy = examplePolicy();
    const [recipient] = policy.recipients;
    const problems = (change: object): string => {
      const parsed = parsePolicy(JSON.parse(JSON.stringify({ ...policy, ...change })));
      return parsed.ok ? '' : parsed.problems.join('\n');
    };
    expect(problems({ owner: { ...policy.owner, approvers: ['giam-doc'] } })).toMatch(/\/owner\/approvers/);
    expect(problems({ owner: { ...policy.owner, approvalsNeeded: 3 } })).toMatch(/2 approvers/);
    expect(problems({ recipients: [{ ...recipient, agreementId: undefined }] })).toMatch(/agreementId: missing/);
    expect(problems({ recipients: [{ ...recipient, endpoint: { adapter: 'none', jurisdiction: 'SG' } }] })).toMatch(/jurisdiction/);
    expect(problems({ recipients: [recipient, recipient] })).toMatch(/twice/);
    expect(problems({ defaults: { effect: 'allow' } })).toMatch(/\/defaults\/effect/);
    expect(problems({ validTo: policy.validFrom })).toMatch(/validTo/);
  });
});

it('is in force from its begin to the first of its ends', () => {
  const at = (time: string, product = {}): unknown => {
    const active = activeProduct(examplePolicy(product), 'sector-platform', 'vn.sector.production-report', Date.parse(time));
    return active.ok ? 'active' : active.reason;
  };
  expect(at('2025-12-31T23:59:59+07:00')).toBe('not_active');
  expect(at('2026-01-01T00:00:00+07:00')).toBe('active');
  expect(at('2027-01-01T00:00:00+07:00')).toBe('not_active');
  expect(at('2026-06-01T00:00:00+07:00', { expires: '2026-06-01T00:00:00+07:00' })).toBe('not_active');
  expect(at('2026-06-01T00:00:00+07:00', { enabled: false })).toBe('product_disabled');
  expect(activeProduct(examplePolicy(), 'nobody', 'vn.sector.production-report', 0)).toMatchObject({
    ok: false,
    reason: 'unknown_recipient',
  });
});

it('counts waiting times', () => {
  expect(['P1D', 'PT6H', 'PT30M', 'P0D'].map(waitMs)).toEqual([86_400_000, 21_600_000, 1_800_000, 0]);
});
