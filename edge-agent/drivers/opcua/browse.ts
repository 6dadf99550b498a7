import {
  AttributeIds,
  BrowseDirection,
  type ClientSession,
  DataType,
  type DataValue,
  NodeClass,
  type ReferenceDescription,
} from 'node-opcua-client';
import { connectError, createClient, userOf } from './client.ts';
import type { OpcuaConfig } from './config.ts';

/** One node of a server's address space. */
export interface BrowsedNode {
  /** Browse names from the Objects folder down, separated by `/`. */
  readonly path: string;
  /** As a tag's `node` wants it: `nsu=<uri>;s=…`. */
  readonly node: string;
  readonly nodeClass: 'Object' | 'Variable';
  /** Variables only: name of the built-in data type. */
  readonly dataType: string | null;
  /** Variables only: the value now, as text. */
  readonly value: string | null;
}

export interface BrowseLimits {
  readonly maxNodes: number;
  readonly maxDepth: number;
}

const objectsFolder = 'ns=0;i=85';
/** The server's own diagnostics: large, and not what an integrator looks for. */
const serverObject = 'ns=0;i=2253';
/** Servers refuse more in one call; small ones much more. */
const readChunk = 50;
const maxValueLength = 80;

/**
 * Lists what a server offers below its Objects folder, breadth first, each node once, up to the limits.
 * Throws RetryableError when the server cannot be reached or refuses the session.
 */
export async function browseServer(config: OpcuaConfig, stateDir: string, limits: BrowseLimits): Promise<readonly BrowsedNode[]> {
  const client = createClient(config, stateDir);
  try {
    await client.connect(config.endpoint);
    const session = await client.createSession(userOf(config));
    try {
      return await readVariables(session, await walk(session, limits));
    } finally {
      await session.close();
    }
  } catch (error) {
    throw connectError(error, config, stateDir);
  } finally {
    await client.disconnect().catch(() => undefined);
  }
}

interface Found {
  readonly path: string;
  readonly nodeId: string;
  readonly node: string;
  readonly nodeClass: BrowsedNode['nodeClass'];
}

async function walk(session: ClientSession, { maxNodes, maxDepth }: BrowseLimits): Promise<readonly Found[]> {
  const uris = await session.readNamespaceArray();
  const seen = new Set([objectsFolder, serverObject]);
  const found: Found[] = [];
  let level: readonly Found[] = [{ path: '', nodeId: objectsFolder, node: objectsFolder, nodeClass: 'Object' }];
  for (let depth = 0; depth < maxDepth && level.length > 0; depth++) {
    const next: Found[] = [];
    for (const parent of level) {
      for (const reference of await references(session, parent.nodeId)) {
        const nodeId = reference.nodeId.toString();
        if (seen.has(nodeId)) continue;
        if (found.length >= maxNodes) return found;
        seen.add(nodeId);
        const name = reference.browseName.name ?? nodeId;
        const child: Found = {
          path: parent.path === '' ? name : `${parent.path}/${name}`,
          nodeId,
          node: nodeName(nodeId, uris),
          nodeClass: reference.nodeClass === NodeClass.Variable ? 'Variable' : 'Object',
        };
        found.push(child);
        next.push(child);
      }
    }
    level = next;
  }
  return found;
}

async function references(session: ClientSession, nodeId: string): Promise<readonly ReferenceDescription[]> {
  let result = await session.browse({
    nodeId,
    referenceTypeId: 'HierarchicalReferences',
    includeSubtypes: true,
    browseDirection: BrowseDirection.Forward,
    nodeClassMask: NodeClass.Object | NodeClass.Variable,
    resultMask: 63,
  });
  const all = [...(result.references ?? [])];
  while (result.continuationPoint !== undefined && result.continuationPoint !== null && result.continuationPoint.length > 0) {
    result = await session.browseNext(result.continuationPoint, false);
    all.push(...(result.references ?? []));
  }
  return all;
}

/** `ns=3;s=x` → `nsu=<uri of 3>;s=x`; the standard namespace keeps its short form. */
function nodeName(nodeId: string, uris: readonly string[]): string {
  const match = /^ns=(\d+);(.+)$/s.exec(nodeId);
  const index = Number(match?.[1] ?? 0);
  const identifier = match?.[2] ?? nodeId;
  if (index === 0) return identifier;
  // OPC UA Part 6: ';' and '%' in the URI are escaped.
  return `nsu=${(uris[index] ?? '').replaceAll('%', '%25').replaceAll(';', '%3B')};${identifier}`;
}

async function readVariables(session: ClientSession, found: readonly Found[]): Promise<readonly BrowsedNode[]> {
  const values = new Map<string, DataValue>();
  const variables = found.filter(({ nodeClass }) => nodeClass === 'Variable');
  for (let i = 0; i < variables.length; i += readChunk) {
    const chunk = variables.slice(i, i + readChunk);
    const read = await session.read(chunk.map(({ nodeId }) => ({ nodeId, attributeId: AttributeIds.Value })));
    chunk.forEach(({ nodeId }, k) => {
      const value = read[k];
      if (value !== undefined) values.set(nodeId, value);
    });
  }
  return found.map(({ path, node, nodeId, nodeClass }) => {
    const value = values.get(nodeId)?.value;
    return {
      path,
      node,
      nodeClass,
      dataType: nodeClass === 'Variable' && value !== undefined ? (DataType[value.dataType] ?? null) : null,
      value: nodeClass === 'Variable' && value !== undefined ? text(value.value) : null,
    };
  });
}

function text(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  const shown = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return shown.length > maxValueLength ? `${shown.slice(0, maxValueLength)}…` : shown;
}
