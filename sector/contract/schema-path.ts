import { segmentsOf } from './pointer.ts';

/** The part of JSON Schema that the contract's schemas are made of. */
export interface SchemaNode {
  readonly $ref?: string;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly pattern?: string;
  readonly maxLength?: number;
  readonly additionalProperties?: unknown;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
  readonly maxItems?: number;
  readonly oneOf?: readonly SchemaNode[];
  readonly $defs?: Readonly<Record<string, SchemaNode>>;
}

/** A node with its `$ref` followed. */
export function resolved(root: SchemaNode, node: SchemaNode): SchemaNode {
  const name = node.$ref?.slice('#/$defs/'.length);
  const target = name === undefined ? undefined : root.$defs?.[name];
  return target === undefined ? node : resolved(root, target);
}

/** The node that a policy pointer names; `*`, and only `*`, enters a list. Undefined: the contract has no such place. */
export function schemaAt(root: SchemaNode, pointer: string): SchemaNode | undefined {
  let node: SchemaNode | undefined = root;
  for (const segment of segmentsOf(pointer)) {
    const here: SchemaNode = resolved(root, node);
    node = segment === '*' ? here.items : Object.hasOwn(here.properties ?? {}, segment) ? here.properties?.[segment] : undefined;
    if (node === undefined) return undefined;
  }
  return resolved(root, node);
}

/** Every node without properties or items below a node. */
export function leafNodes(root: SchemaNode, node: SchemaNode): SchemaNode[] {
  const here = resolved(root, node);
  if (here.items !== undefined) return leafNodes(root, here.items);
  if (here.properties !== undefined) return Object.values(here.properties).flatMap((each) => leafNodes(root, each));
  return [here];
}
