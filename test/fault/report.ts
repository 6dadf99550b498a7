import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { checkout } from '../harness/nhip.ts';
import type { Family } from './cell.ts';
import { families } from './families.ts';
import type { MatrixResult } from './matrix-result.ts';
import { matrixTables } from './matrix-tables.ts';
import type { Outcome } from './run-cell.ts';
import { stormCell } from './storm.ts';

/**
 * `tsx test/fault/report.ts RESULT.json … [--write]`: makes the tables of docs/delivery-guarantee.md from what `npm run faults` and
 * `npm run soak` wrote with `--json`. Several files of the same cells are several runs of them.
 */
const document = join(checkout, 'docs/delivery-guarantee.md');
const begin = '<!-- faults -->';
const end = '<!-- /faults -->';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { write: { type: 'boolean', default: false } } });
const results = positionals.map((file) => JSON.parse(readFileSync(file, 'utf8')) as MatrixResult);
if (results.some(({ isFull }) => !isFull) && values.write)
  throw new Error('a run with --short is not published: freezes and outages were cut down');
const outcomes = results.flatMap((result) => result.outcomes);
const tables = matrixTables([...families, storms(outcomes)], outcomes);
if (!values.write) console.log(tables);
else {
  const text = readFileSync(document, 'utf8');
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) throw new Error(`${document} has no ${begin} … ${end}`);
  writeFileSync(document, `${text.slice(0, from)}${begin}\n\n${tables}\n${text.slice(to)}`);
}

/** The storms that were run, as a family of their own. */
function storms(list: readonly Outcome[]): Family {
  const ids = [...new Set(list.map(({ id }) => id))];
  const cells = ids.flatMap((id) => {
    const [, apart, kills] = /^storm-(apart-)?(\d+)$/.exec(id) ?? [];
    return kills === undefined ? [] : [stormCell({ kills: Number(kills), edges: 2, shape: apart === undefined ? 'one' : 'apart' })];
  });
  return { name: 'storm', title: 'Everything at random', cells };
}
