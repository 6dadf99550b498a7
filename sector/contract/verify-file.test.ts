import { expect, it } from 'vitest';
import { reportBytes } from './digest.ts';
import { generateKey, jwkOf, pemOf } from './keys.ts';
import { signReport } from './signature.ts';
import { exampleKey, exampleNowMs, exampleReport } from './testing/example-report.ts';
import { keysOf, verifyFile } from './verify-file.ts';

const key = exampleKey();
const report = signReport(exampleReport, key);
const text = reportBytes(report).toString('utf8');
const context = { nowMs: exampleNowMs };
const keys = keysOf(pemOf(key.publicKey));

it('verifies the very bytes, and what was formatted for reading', () => {
  expect(verifyFile(text, keys, context)).toMatchObject({
    ok: true,
    kind: 'report',
    isCanonical: true,
    kid: key.kid,
    revision: 1,
    problems: [],
  });
  expect(verifyFile(`${text}\n`, keys, context)).toMatchObject({ ok: true, isCanonical: true });
  expect(verifyFile(JSON.stringify(report, undefined, 2), keys, context)).toMatchObject({ ok: true, isCanonical: false });
});

it('takes the key that fits out of several, and none that is of another name', () => {
  const other = generateKey();
  const set = JSON.stringify({ keys: [jwkOf('0999999983#k0', other.publicKey), jwkOf(key.kid, key.publicKey)] });
  expect(verifyFile(text, keysOf(set), context).ok).toBe(true);
  expect(verifyFile(text, [...keysOf(pemOf(other.publicKey)), ...keys], context).ok).toBe(true);
  const renamed = keysOf(JSON.stringify(jwkOf('0999999983#k9', key.publicKey)));
  expect(verifyFile(text, renamed, context).problems.join()).toMatch(/none of the given keys is 0999999983#k1/);
  expect(verifyFile(text, keysOf(pemOf(other.publicKey)), context).problems.join()).toMatch(/E111/);
});

it('says everything that is wrong', () => {
  const sums = signReport({ ...exampleReport, coverage: { ...exampleReport.coverage, machinesInstrumented: 21 } }, key);
  expect(verifyFile(JSON.stringify(sums), keys, context).problems).toEqual([expect.stringMatching(/^E103/)]);
  expect(verifyFile(text.replace('"quantity":"60"', '"quantity":"61"'), keys, context).problems).toEqual([expect.stringMatching(/^E111/)]);
  expect(verifyFile(text.replace('{"activity"', '{"revision":1,"activity"'), keys, context).problems.join()).toMatch(
    /"revision" is there twice/,
  );
  expect(verifyFile('{"contract":"x"}', keys, context)).toMatchObject({ ok: false, kind: 'unknown' });
  for (const bad of ['', 'null', '[]', '{', '{"contract":"vn.sector.receipt"}']) expect(verifyFile(bad, keys, context).ok).toBe(false);
});
