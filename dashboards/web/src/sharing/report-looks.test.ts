import { describe, expect, it } from 'vitest';
import { hasDigest } from './digest-check.ts';
import { actsOn, approvalHindrance, waitOf } from './report-looks.ts';

const item = { status: 'final' } as const;

describe('actsOn', () => {
  it('offers what the state allows', () => {
    expect(actsOn({ ...item, state: 'held' })).toEqual(['approve', 'hold']);
    expect(actsOn({ ...item, state: 'approved', stoppedBy: 'lan' })).toEqual(['release']);
    expect(actsOn({ ...item, state: 'rejected' })).toEqual(['again']);
    expect(actsOn({ ...item, state: 'accepted' })).toEqual(['withdraw']);
    expect(actsOn({ status: 'withdrawn', state: 'accepted' })).toEqual([]);
    expect(actsOn({ ...item, state: 'sending' })).toEqual([]);
  });
});

describe('waitOf', () => {
  const dueAt = '2026-11-22T03:00:00.000Z';
  const [before, after] = [Date.parse(dueAt) - 1, Date.parse(dueAt)];
  const asked = { dueAt, approvalsNeeded: 2, approvals: [{ by: 'lan', at: dueAt }] };
  it('counts the people who are missing, and names no moment that is over', () => {
    expect(waitOf({ ...asked, state: 'held' }, before)).toEqual({ people: 1, until: dueAt });
    expect(waitOf({ ...asked, state: 'held' }, after)).toEqual({ people: 1, until: null });
    expect(waitOf({ ...asked, state: 'approved' }, before)).toEqual({ people: 0, until: dueAt });
    expect(waitOf({ ...asked, state: 'accepted' }, before)).toEqual({ people: 0, until: null });
    expect(waitOf({ ...asked, approvalsNeeded: 0, approvals: [], state: 'held' }, before)).toEqual({ people: 0, until: dueAt });
  });
});

describe('approvalHindrance', () => {
  const asked = { approvers: ['lan', 'minh'], approvals: [{ by: 'lan' }] };
  it('lets only approvers approve, and each once', () => {
    expect(approvalHindrance(null, asked)).toBe('login');
    expect(approvalHindrance({ name: 'minh', role: 'operate' }, asked)).toBe('notAdmin');
    expect(approvalHindrance({ name: 'admin', role: 'admin' }, asked)).toBe('notApprover');
    expect(approvalHindrance({ name: 'lan', role: 'admin' }, asked)).toBe('already');
    expect(approvalHindrance({ name: 'minh', role: 'admin' }, asked)).toBeNull();
  });
});

describe('hasDigest', () => {
  it('computes the digest of the bytes again', async () => {
    const digest = 'sha-256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
    expect(await hasDigest('', digest)).toBe(true);
    expect(await hasDigest('ă', digest)).toBe(false);
  });
});
