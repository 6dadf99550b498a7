/**
 * Expressions of derived tags: from text to a checked tree.
 *
 * jsep parses; what it returns is only read here. Every node of the tree is of a kind listed below, every name is a tag of the device,
 * every call is one of our functions with the right kinds of arguments. There are no properties, no assignments, no other names: an
 * expression that passes cannot reach anything outside of its inputs. Length, depth and size are bounded.
 */
import type { DataTypeName } from '@nhip/core/wire/sparkplug/datatype';
import jsep from 'jsep';
import { functions, type Kind, kindOf, operators, type PureFunction, type Scalar, textJoin, unaryOperators } from './functions.ts';
import { type MemoryFunction, memoryFunctions } from './memory-functions.ts';
import { normal } from './numbers.ts';

export type Node =
  | { readonly type: 'literal'; readonly value: Scalar }
  /** Value of the program's input of this number. */
  | { readonly type: 'input'; readonly index: number }
  | { readonly type: 'apply'; readonly fn: PureFunction; readonly args: readonly Node[] }
  | { readonly type: 'if'; readonly test: Node; readonly yes: Node; readonly no: Node }
  | { readonly type: 'and' | 'or'; readonly left: Node; readonly right: Node }
  | { readonly type: 'lookup'; readonly key: Node; readonly otherwise: Node | undefined }
  /** Result of the program's memory call of this number. */
  | { readonly type: 'memory'; readonly index: number };

export interface Program {
  readonly root: Node;
  readonly kind: Kind;
  /** Names of the metrics that it reads. */
  readonly inputs: readonly string[];
  /** Calls that remember something, inner ones first. */
  readonly memoryCalls: readonly { readonly fn: MemoryFunction; readonly args: readonly Node[] }[];
  readonly map: ReadonlyMap<string, Scalar>;
}

/** What an expression may name. */
export interface Surroundings {
  /** The kind of a metric; undefined when there is none. */
  kindOf(metric: string): Kind | undefined;
  readonly map?: Readonly<Record<string, Scalar>> | undefined;
}

export const longestExpression = 2000;
const maxDepth = 100;
const maxNodes = 500;

class Problem extends Error {}

/** Checks an expression. `problem` is one sentence with the column (from 1) where it is known. */
export function compileExpression(text: string, surroundings: Surroundings): { readonly program: Program } | { readonly problem: string } {
  try {
    return { program: new Compiler(text, surroundings).program() };
  } catch (error) {
    if (error instanceof Problem) return { problem: error.message };
    throw error;
  }
}

/** The kind of values that a metric of this type has; undefined for arrays, bytes and structures. */
export function kindOfType(type: DataTypeName): Kind | undefined {
  if (type === 'Boolean') return 'boolean';
  if (type === 'String' || type === 'Text' || type === 'UUID') return 'string';
  return /^(U?Int(8|16|32|64)|Float|Double|DateTime)$/.test(type) ? 'number' : undefined;
}

interface Typed {
  readonly node: Node;
  readonly kind: Kind;
}

class Compiler {
  private readonly text: string;
  private readonly surroundings: Surroundings;
  private readonly inputs: string[] = [];
  private readonly memoryCalls: { readonly fn: MemoryFunction; readonly args: readonly Node[] }[] = [];
  private nodes = 0;

  constructor(text: string, surroundings: Surroundings) {
    this.text = text;
    this.surroundings = surroundings;
  }

  program(): Program {
    if (this.text.length > longestExpression) throw new Problem(`is longer than ${longestExpression} characters`);
    const { node, kind } = this.check(parse(this.text), 0);
    const { inputs, memoryCalls } = this;
    if (inputs.length === 0) throw new Problem('reads no tag: it would never be evaluated');
    return { root: node, kind, inputs, memoryCalls, map: new Map(Object.entries(this.surroundings.map ?? {})) };
  }

  private check(tree: jsep.Expression, depth: number): Typed {
    if (depth > maxDepth || ++this.nodes > maxNodes) throw new Problem('is too large: make a derived tag of a part of it');
    const inner = (part: unknown): Typed => this.check(part as jsep.Expression, depth + 1);
    switch (tree.type) {
      case 'Literal':
        return this.literal(tree as jsep.Literal);
      case 'Identifier':
        return this.input(String(tree.name));
      case 'UnaryExpression':
        return this.apply(String(tree.operator), unaryOperators.get(String(tree.operator)), [inner(tree.argument)]);
      case 'BinaryExpression':
        return this.binary(String(tree.operator), inner(tree.left), inner(tree.right));
      case 'ConditionalExpression': {
        const [test, yes, no] = [inner(tree.test), inner(tree.consequent), inner(tree.alternate)];
        if (test.kind !== 'boolean') throw new Problem(`what stands before ? must be true or false, it is a ${test.kind}`);
        if (yes.kind !== no.kind) throw new Problem(`both sides of : must be of one kind, they are a ${yes.kind} and a ${no.kind}`);
        return { node: { type: 'if', test: test.node, yes: yes.node, no: no.node }, kind: yes.kind };
      }
      case 'CallExpression':
        return this.call(tree as jsep.CallExpression, inner);
      case 'MemberExpression':
        throw new Problem(`${this.at('.')}a tag whose name has dots or slashes is written tag("…")`);
      case 'Compound':
      case 'SequenceExpression':
        throw new Problem('must be one expression; a tag whose name has spaces or slashes is written tag("…")');
      default:
        throw new Problem(`cannot use ${tree.type}`);
    }
  }

  private literal({ value, raw }: jsep.Literal): Typed {
    if (typeof value === 'boolean' || typeof value === 'string') return { node: { type: 'literal', value }, kind: kindOf(value) };
    // jsep rounds what is above 2^53.
    const exact = typeof value !== 'number' ? undefined : /^\d+$/.test(raw) ? normal(BigInt(raw)) : normal(value);
    if (exact === undefined) throw new Problem(`${this.at(raw)}${raw} cannot be used as a value`);
    return { node: { type: 'literal', value: exact }, kind: 'number' };
  }

  private input(name: string): Typed {
    const kind = this.surroundings.kindOf(name);
    if (kind === undefined) {
      const hint = functions.has(name) || memoryFunctions.has(name) ? '; it is a function' : '';
      throw new Problem(`${this.at(name)}the device has no tag "${name}" that a rule can read${hint}`);
    }
    const known = this.inputs.indexOf(name);
    const index = known >= 0 ? known : this.inputs.push(name) - 1;
    return { node: { type: 'input', index }, kind };
  }

  private binary(operator: string, left: Typed, right: Typed): Typed {
    if (operator === '&&' || operator === '||') {
      if (left.kind !== 'boolean' || right.kind !== 'boolean') {
        throw new Problem(`${this.at(operator)}both sides of ${operator} must be true or false`);
      }
      return { node: { type: operator === '&&' ? 'and' : 'or', left: left.node, right: right.node }, kind: 'boolean' };
    }
    const fn = operator === '+' && left.kind === 'string' ? textJoin : operators.get(operator);
    return this.apply(operator, fn, [left, right]);
  }

  private call({ callee, arguments: args }: jsep.CallExpression, inner: (part: unknown) => Typed): Typed {
    if (callee.type !== 'Identifier') throw new Problem('only functions can be called, by their names');
    const name = String(callee.name);
    if (name === 'tag') {
      const [only] = args;
      if (args.length !== 1 || only?.type !== 'Literal' || typeof only.value !== 'string') {
        throw new Problem(`${this.at('tag')}tag takes one name in quotes, e.g. tag("Count/Total")`);
      }
      return this.input(only.value);
    }
    const checked = args.map(inner);
    if (name === 'lookup') return this.lookup(checked);
    const remembers = memoryFunctions.get(name);
    if (remembers === undefined) return this.apply(name, functions.get(name), checked);
    const node = this.apply(name, { ...remembers, apply: () => undefined }, checked);
    const index = this.memoryCalls.push({ fn: remembers, args: checked.map((arg) => arg.node) }) - 1;
    return { node: { type: 'memory', index }, kind: node.kind };
  }

  private lookup(args: readonly Typed[]): Typed {
    const [key, otherwise] = args;
    if (key === undefined || args.length > 2)
      throw new Problem(`${this.at('lookup')}lookup takes a value, and perhaps what to say when the map does not list it`);
    const values = Object.values(this.surroundings.map ?? {});
    const [first] = values;
    if (first === undefined) throw new Problem(`${this.at('lookup')}lookup needs a map beside the expression`);
    const kind = kindOf(first);
    if (values.some((value) => kindOf(value) !== kind)) throw new Problem('the values of the map must be of one kind');
    if (otherwise !== undefined && otherwise.kind !== kind)
      throw new Problem(`${this.at('lookup')}the map gives a ${kind}, the second argument is a ${otherwise.kind}`);
    return { node: { type: 'lookup', key: key.node, otherwise: otherwise?.node }, kind };
  }

  private apply(name: string, fn: PureFunction | undefined, args: readonly Typed[]): Typed {
    if (fn === undefined) {
      const known = /^\w/.test(name)
        ? [...functions.keys(), ...memoryFunctions.keys(), 'lookup', 'tag'].sort().join(', ')
        : [...operators.keys()].join(' ');
      throw new Problem(`${this.at(name)}${name} is unknown; there are ${known}`);
    }
    const needs = fn.needs ?? fn.takes.length;
    if (args.length < needs || (args.length > fn.takes.length && fn.repeats !== true)) {
      const count = needs === fn.takes.length ? `${needs}` : `${needs} to ${fn.takes.length}`;
      throw new Problem(`${this.at(name)}${name} takes ${fn.repeats === true ? 'at least ' : ''}${count} values, not ${args.length}`);
    }
    args.forEach((arg, i) => {
      const wanted = fn.takes[Math.min(i, fn.takes.length - 1)] ?? 'any';
      const kind = wanted === 'same' ? args[0]?.kind : wanted;
      if (kind !== 'any' && kind !== arg.kind)
        throw new Problem(`${this.at(name)}${name} needs a ${kind}, value ${i + 1} is a ${arg.kind}`);
    });
    return { node: { type: 'apply', fn, args: args.map((arg) => arg.node) }, kind: fn.gives };
  }

  /** `column 12: `, where a part of the expression first stands outside of quotes. jsep keeps no places. */
  private at(part: string): string {
    const masked = this.text.replace(/(tag\s*\(\s*)?("(\\.|[^"\\])*"|'(\\.|[^'\\])*')/g, (found, tag = '', quoted = '') =>
      tag !== '' && quoted.slice(1, -1) === part ? found : tag + ' '.repeat(quoted.length),
    );
    const isWord = /^\w+$/.test(part);
    for (let from = 0; ; ) {
      const found = masked.indexOf(part, from);
      if (found < 0) return '';
      const isWhole = !isWord || !(/[\w$]/.test(masked[found - 1] ?? ' ') || /[\w$]/.test(masked[found + part.length] ?? ' '));
      if (isWhole) return `column ${found + 1}: `;
      from = found + 1;
    }
  }
}

function parse(text: string): jsep.Expression {
  try {
    return jsep(text);
  } catch (error) {
    const { index, description } = error as { readonly index?: unknown; readonly description?: unknown };
    const column = typeof index === 'number' ? `column ${index + 1}: ` : '';
    throw new Problem(`${column}${typeof description === 'string' ? description : 'cannot be parsed'}`);
  }
}
