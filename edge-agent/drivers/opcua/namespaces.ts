/**
 * Node names that stay true when a server restarts: `nsu=<namespace URI>;<identifier>` (OPC UA Part 6 §5.3.1.11). A namespace index is only
 * valid within one session: servers number their namespaces anew at every start, and an index kept from before may name another
 * machine's value.
 */

export interface NodeName {
  /** Namespace URI; undefined for the OPC UA namespace, whose index is always 0. */
  readonly namespaceUri: string | undefined;
  /** `i=…`, `s=…`, `g=…` or `b=…`. */
  readonly identifier: string;
}

/** Parses a node name; the problem as one sentence when the text is none. */
export function parseNode(text: string): NodeName | { readonly problem: string } {
  if (/^ns=\d+;/.test(text))
    return { problem: 'a namespace index changes when the server restarts; write nsu=<namespace URI>; instead of ns=<index>;' };
  const match = /^(?:nsu=([^;]+);)?(i=\d{1,10}|s=.+|g=[0-9a-fA-F-]{36}|b=[A-Za-z0-9+/=]+)$/s.exec(text);
  const identifier = match?.[2];
  if (identifier === undefined) return { problem: 'write it as nsu=<namespace URI>;s=<name> (or ;i=<number>, ;g=<guid>, ;b=<base64>)' };
  const uri = match?.[1];
  if (uri === undefined && !identifier.startsWith('i=')) return { problem: 'the namespace URI is missing: nsu=<namespace URI>;…' };
  // Part 6: ';' and '%' in the URI are written %3B and %25.
  return { namespaceUri: uri?.replaceAll('%3B', ';').replaceAll('%25', '%'), identifier };
}

/** The node id for this session, `ns=<index>;<identifier>`; undefined when the server has no such namespace now. */
export function resolveNode(node: NodeName, namespaceArray: readonly string[]): string | undefined {
  const index = node.namespaceUri === undefined ? 0 : namespaceArray.indexOf(node.namespaceUri);
  return index < 0 ? undefined : `ns=${index};${node.identifier}`;
}
