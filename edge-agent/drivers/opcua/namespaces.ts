/**
 * Node names that stay true when a server restarts. A namespace index is only valid within one session: servers number their
 * namespaces anew at every start, and an index kept from before may name another machine's value. So a name says the URI:
 *
 * - `nsu=<namespace URI>;<identifier>` (OPC UA Part 6 §5.3.1.11), `i=<number>` alone in the OPC UA namespace itself;
 * - `path:/Objects/{<namespace URI>}<browse name>/…`, for objects whose ids differ from machine to machine: browse names from the root
 *   folder down, a name without `{…}` in the OPC UA namespace, `&` before a `/`, `{` or `&` that belongs to a name (Part 4 §A.2).
 */

export interface NodeName {
  /** Namespace URI; undefined for the OPC UA namespace, whose index is always 0. */
  readonly namespaceUri: string | undefined;
  /** `i=…`, `s=…`, `g=…` or `b=…`. */
  readonly identifier: string;
}

export interface NodePath {
  readonly path: readonly PathStep[];
}

export interface PathStep {
  readonly namespaceUri: string | undefined;
  readonly name: string;
}

const maxSteps = 32;

/** Parses a node name; the problem as one sentence when the text is none. */
export function parseNode(text: string): NodeName | NodePath | { readonly problem: string } {
  if (text.startsWith('path:')) return parsePath(text.slice('path:'.length));
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

function parsePath(text: string): NodePath | { readonly problem: string } {
  const step = /\/(?:\{([^{}]+)\})?((?:&.|[^&/{}])+)/sy;
  const path: PathStep[] = [];
  while (step.lastIndex < text.length) {
    const match = step.exec(text);
    if (match === null) return { problem: 'write it as path:/Objects/{<namespace URI>}<name>/… with & before a /, { or & in a name' };
    path.push({ namespaceUri: match[1], name: (match[2] ?? '').replaceAll(/&(.)/gs, '$1') });
  }
  if (path.length === 0) return { problem: 'the path is empty: path:/Objects/{<namespace URI>}<name>/…' };
  return path.length <= maxSteps ? { path } : { problem: `the path has more than ${maxSteps} steps` };
}

/** The node id for this session, `ns=<index>;<identifier>`; undefined when the server has no such namespace now. */
export function resolveNode(node: NodeName, namespaceArray: readonly string[]): string | undefined {
  const index = namespaceIndex(node.namespaceUri, namespaceArray);
  return index === undefined ? undefined : `ns=${index};${node.identifier}`;
}

export function namespaceIndex(uri: string | undefined, namespaceArray: readonly string[]): number | undefined {
  const index = uri === undefined ? 0 : namespaceArray.indexOf(uri);
  return index < 0 ? undefined : index;
}

/** `ns=3;s=x` → `nsu=<uri of 3>;s=x`; the standard namespace keeps its short form. */
export function nodeName(nodeId: string, namespaceArray: readonly string[]): string {
  const match = /^ns=(\d+);(.+)$/s.exec(nodeId);
  const index = Number(match?.[1] ?? 0);
  const identifier = match?.[2] ?? nodeId;
  if (index === 0) return identifier;
  // Part 6: ';' and '%' in the URI are escaped.
  return `nsu=${(namespaceArray[index] ?? '').replaceAll('%', '%25').replaceAll(';', '%3B')};${identifier}`;
}
