import { fork } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { checkout } from '../harness/nhip.ts';
import { benches, longBenches } from './benches.ts';
import type { BenchOptions } from './figures.ts';
import { type Finished, machineLine, markdownSection, replaceSection, textTable } from './report.ts';

/**
 * `npm run bench -- [name…] [--runs N] [--short] [--write]`: measures, prints, and with --write puts the figures into
 * docs/benchmarks.md. Each bench runs in a process of its own: no heap, no compiled code of another one.
 */
const document = join(checkout, 'docs/benchmarks.md');

async function runHere(name: string, options: BenchOptions): Promise<Finished> {
  const bench = await benches[name]?.();
  if (bench === undefined) throw new Error(`"${name}" is not a bench; there are ${Object.keys(benches).join(', ')}`);
  const result = await bench.run(options);
  const date = new Date().toISOString().slice(0, 10);
  return { ...result, name, summary: bench.summary, runs: options.runs, date, machine: machineLine() };
}

function runApart(name: string, options: BenchOptions): Promise<Finished> {
  const child = fork(import.meta.filename, ['--only', name, '--runs', String(options.runs), ...(options.isShort ? ['--short'] : [])], {
    execArgv: [...process.execArgv, '--expose-gc'],
    serialization: 'advanced',
  });
  return new Promise((resolve, reject) => {
    child.once('message', (finished) => resolve(finished as Finished));
    child.once('exit', (code) => reject(new Error(`bench ${name} ended with ${code} before it had a result`)));
  });
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '5' },
    short: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    only: { type: 'string' },
  },
});
const options: BenchOptions = { runs: Math.max(1, Number(values.runs)), isShort: values.short };

if (values.only !== undefined) {
  const finished = await runHere(values.only, options);
  process.send?.(finished, () => process.exit(0));
} else {
  if (values.write && (values.short || options.runs < 5)) throw new Error('--write needs at least 5 full runs');
  console.log(machineLine());
  const usual = Object.keys(benches).filter((name) => !longBenches.has(name));
  for (const name of positionals.length > 0 ? positionals : usual) {
    try {
      const finished = await runApart(name, options);
      console.log(textTable(finished));
      if (values.write) writeFileSync(document, replaceSection(readFileSync(document, 'utf8'), name, markdownSection(finished)));
    } catch (error) {
      console.error(`\n${name}: ${error instanceof Error ? error.message : error}\n`);
      process.exitCode = 1;
    }
  }
}
