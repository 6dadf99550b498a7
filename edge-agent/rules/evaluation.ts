import type { Node, Program } from './expression.ts';
import type { Maybe, Scalar } from './functions.ts';
import type { Memory } from './memory-functions.ts';
import type { Num } from './numbers.ts';

/** One call that remembers: what it knows, what it said last, and how much of its sum is on disk. */
export interface Cell {
  memory: Memory;
  result: Maybe;
  /** As much of its sum as is on disk: the only part that is shown. */
  kept: Num;
}

/** The running state of one derived tag. */
export interface Evaluation {
  /** Takes a step with new inputs (in the order of `program.inputs`), then `value`. Never throws. */
  step(inputs: readonly Scalar[]): Maybe;
  /** The value with the inputs of the last step, without a step: sums may show more after they were kept. */
  value(): Maybe;
  readonly cells: readonly Cell[];
}

/** `showsAtOnce`: sums are not kept anywhere, so all of them is shown. */
export function createEvaluation(program: Program, showsAtOnce = false): Evaluation {
  const cells: Cell[] = program.memoryCalls.map(() => ({ memory: {}, result: undefined, kept: 0 }));
  let inputs: readonly Scalar[] = [];

  const evaluate = (node: Node): Maybe => {
    switch (node.type) {
      case 'literal':
        return node.value;
      case 'input':
        return inputs[node.index];
      case 'apply': {
        const args: Scalar[] = [];
        for (const arg of node.args) {
          const value = evaluate(arg);
          if (value === undefined) return undefined;
          args.push(value);
        }
        return node.fn.apply(...(args as never[]));
      }
      case 'if': {
        const test = evaluate(node.test);
        return test === undefined ? undefined : evaluate(test === true ? node.yes : node.no);
      }
      case 'and': {
        const left = evaluate(node.left);
        return left === true ? evaluate(node.right) : left;
      }
      case 'or': {
        const left = evaluate(node.left);
        return left === false ? evaluate(node.right) : left;
      }
      case 'lookup': {
        const key = evaluate(node.key);
        if (key === undefined) return undefined;
        const found = program.map.get(String(key));
        return found ?? (node.otherwise === undefined ? undefined : evaluate(node.otherwise));
      }
      case 'memory': {
        const cell = cells[node.index];
        return program.memoryCalls[node.index]?.fn.isSum === true ? cell?.kept : cell?.result;
      }
    }
  };

  return {
    cells,
    step: (next) => {
      inputs = next;
      program.memoryCalls.forEach(({ fn, args }, i) => {
        const cell = cells[i] as Cell;
        const values = args.map(evaluate);
        if (values.some((value) => value === undefined)) {
          cell.result = undefined;
          return;
        }
        const { memory, result } = fn.step(cell.memory, ...(values as never[]));
        cell.memory = memory;
        cell.result = result;
        if (showsAtOnce) cell.kept = memory.sum ?? 0;
      });
      return evaluate(program.root);
    },
    value: () => (inputs.length === 0 ? undefined : evaluate(program.root)),
  };
}
