import { appendFileSync, openSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { startCountingPlc } from './counting-plc.ts';
import { readAnswers } from './plc-journal.ts';

/**
 * A counting PLC as a process of its own: `plc-process.ts JOURNAL PORT`. Every answer is in the journal before it is sent, so the
 * journal outlives a kill -9, and a restart counts on from it. `off` on stdin: answers with exceptions from now on.
 */
const [journal = '', port = '0'] = process.argv.slice(2);
const counters = new Map(readAnswers(journal).map(({ unit, value }) => [unit, value]));
const file = openSync(journal, 'a');
const plc = await startCountingPlc({
  port: Number(port),
  counters,
  served: ({ unit, registers, value, atMs }) => appendFileSync(file, `${unit} ${registers} ${value} ${atMs}\n`),
});
createInterface({ input: process.stdin })
  .on('line', () => plc.switchOff())
  .on('close', () => process.exit(0));
process.once('SIGTERM', () => process.exit(0));
console.log(JSON.stringify({ ready: true, port: plc.port }));
