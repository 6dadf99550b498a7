import { BrowsePath, coerceNodeId, RelativePath } from 'node-opcua-client';
import { inChunks } from './limits.ts';
import type { Session } from './link.ts';
import { type NodePath, namespaceIndex, parseNode, resolveNode } from './namespaces.ts';

/** A node id of this session, or why there is none. */
export type ResolvedNode = { readonly nodeId: string } | { readonly reason: string };

const rootFolder = 'ns=0;i=84';
const hierarchicalReferences = 'ns=0;i=33';
/** "The whole path was followed" (OPC UA Part 4 §5.9.4.2). */
const pathComplete = 0xffff_ffff;

/**
 * Looks up node names in a session: every one by the namespace table that the server has now, paths by asking the server.
 * Rejects only when the server does not answer.
 */
export async function resolveNodes(
  session: Session,
  names: Iterable<string>,
  namespaces: readonly string[],
  pathsPerCall: number,
): Promise<ReadonlyMap<string, ResolvedNode>> {
  const resolved = new Map<string, ResolvedNode>();
  const paths: { readonly text: string; readonly browsePath: BrowsePath }[] = [];
  for (const text of names) {
    if (resolved.has(text)) continue;
    const node = parseNode(text);
    if ('problem' in node) resolved.set(text, { reason: node.problem });
    else if ('path' in node) {
      const browsePath = browsePathOf(node, namespaces);
      resolved.set(text, { reason: 'the server has no such namespace' });
      if (browsePath !== undefined) paths.push({ text, browsePath });
    } else {
      const nodeId = resolveNode(node, namespaces);
      resolved.set(text, nodeId === undefined ? { reason: 'the server has no such namespace' } : { nodeId });
    }
  }
  await inChunks(paths, pathsPerCall, async (chunk) => {
    const results = await session.translateBrowsePath(chunk.map(({ browsePath }) => browsePath));
    chunk.forEach(({ text }, i) => {
      const targets = (results[i]?.targets ?? []).filter(({ remainingPathIndex }) => remainingPathIndex === pathComplete);
      const [target] = targets;
      if (target === undefined) resolved.set(text, { reason: `the path leads nowhere (${results[i]?.statusCode.name ?? 'no result'})` });
      // Either of them could be another machine's tomorrow.
      else if (targets.length > 1) resolved.set(text, { reason: `the path leads to ${targets.length} nodes` });
      else resolved.set(text, { nodeId: coerceNodeId(target.targetId).toString() });
    });
  });
  return resolved;
}

function browsePathOf({ path }: NodePath, namespaces: readonly string[]): BrowsePath | undefined {
  const elements = [];
  for (const { namespaceUri, name } of path) {
    const index = namespaceIndex(namespaceUri, namespaces);
    if (index === undefined) return undefined;
    elements.push({
      referenceTypeId: coerceNodeId(hierarchicalReferences),
      isInverse: false,
      includeSubtypes: true,
      targetName: { namespaceIndex: index, name },
    });
  }
  return new BrowsePath({ startingNode: coerceNodeId(rootFolder), relativePath: new RelativePath({ elements }) });
}
