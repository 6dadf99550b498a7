import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import type { Answer } from './counting-plc.ts';

/** All answers in a journal file; [] when there is none. */
export function readAnswers(file: string): readonly Answer[] {
  return existsSync(file) ? answersOf(readFileSync(file, 'utf8')) : [];
}

/** Follows a journal file that a PLC writes. */
export interface PlcJournal {
  /** All answers up to now. */
  answers(): readonly Answer[];
  /** Values up to now: an answer carries one for each of its registers. */
  values(): number;
}

export function followJournal(file: string): PlcJournal {
  const answers: Answer[] = [];
  let offset = 0;
  let values = 0;
  const refresh = (): void => {
    if (!existsSync(file)) return;
    const handle = openSync(file, 'r');
    const bytes = Buffer.alloc(fstatSync(handle).size - offset);
    readSync(handle, bytes, 0, bytes.length, offset);
    closeSync(handle);
    // A line that is being written is left for the next time.
    const end = bytes.lastIndexOf('\n') + 1;
    offset += end;
    for (const answer of answersOf(bytes.toString('latin1', 0, end))) {
      answers.push(answer);
      values += answer.registers;
    }
  };
  return {
    answers: () => {
      refresh();
      return answers;
    },
    values: () => {
      refresh();
      return values;
    },
  };
}

function answersOf(text: string): readonly Answer[] {
  return text.split('\n').flatMap((line) => {
    const [unit, registers, value, atMs] = line.split(' ').map(Number);
    const isWhole = unit !== undefined && registers !== undefined && value !== undefined && atMs !== undefined;
    return isWhole ? [{ unit, registers, value, atMs }] : [];
  });
}
