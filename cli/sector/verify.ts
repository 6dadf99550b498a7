import { readFileSync } from 'node:fs';
import { ConfigError, reasonOf } from '@nhip/core/process/errors';
import { createNodeClock } from '@nhip/core/process/node-clock';
import { type GivenKey, keysOf, type VerifiedFile, verifyFile } from '@nhip/sector/contract/verify-file';
import type { Command } from '../arguments.ts';

export const verify: Command = {
  name: 'sector verify',
  usage: 'FILE',
  summary:
    'Verifies a signed report or a receipt, without a network: form, sums, signature; of a receipt its place in the log. Exit code 1: not good.',
  flags: {
    key: { summary: 'Public key of the signer: PEM, JWK or JWK set; may be given several times', value: 'FILE' },
    report: { summary: 'Of a receipt: the report that it must be for', value: 'FILE' },
    json: { summary: 'Answer as one line of JSON' },
  },
  async run(input) {
    const [file, ...more] = input.positionals;
    if (file === undefined || more.length > 0) throw new ConfigError('nhip sector verify', ['say one file']);
    const keyFiles = input.all('key');
    if (keyFiles.length === 0) throw new ConfigError('nhip sector verify', ['--key is missing: the public key that must have signed']);
    const reportFile = input.text('report');
    const answer = verifyFile(read(file), keyFiles.flatMap(readKeys), {
      nowMs: createNodeClock().now(),
      ...(reportFile === undefined ? {} : { reportText: read(reportFile) }),
    });
    process.stdout.write(input.isSet('json') ? `${JSON.stringify(answer)}\n` : text(file, answer));
    return answer.ok ? 0 : 1;
  },
};

function text(file: string, { ok, kind, isCanonical, digest, kid, seriesKey, revision, problems, findings }: VerifiedFile): string {
  const head = ok ? `✓ ${file} is a good ${kind}.` : `✗ ${file} is not good.`;
  const facts = { series: seriesKey, revision, digest, 'signed by': kid };
  const rows = Object.entries(facts).flatMap(([name, value]) => (value === undefined ? [] : [`  ${name.padEnd(10)} ${value}`]));
  const warnings = findings.filter(({ severity }) => severity === 'warning');
  return `${[
    head,
    ...rows,
    ...problems.map((problem) => `  ✗ ${problem}`),
    ...warnings.map(({ code, pointer, message }) => `  · ${code} ${pointer} ${message.en}`),
    ...(kind === 'unknown' || isCanonical ? [] : ['  · The file was formatted after signing; its content is what was verified.']),
  ].join('\n')}\n`;
}

function readKeys(file: string): GivenKey[] {
  const content = read(file);
  try {
    return keysOf(content);
  } catch (error) {
    throw new ConfigError('--key', [`${file}: ${reasonOf(error)}`]);
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError('nhip sector verify', [`${file} cannot be read: ${reasonOf(error)}`]);
  }
}
