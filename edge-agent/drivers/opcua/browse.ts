import {
  AccessLevelFlag,
  AttributeIds,
  BrowseDirection,
  type ClientSession,
  DataType,
  type DataValue,
  NodeClass,
  NodeId,
  type ReferenceDescription,
} from 'node-opcua-client';
import { connectError, createClient, userOf } from './client.ts';
import type { OpcuaConfig } from './config.ts';
import { inChunks, readLimits } from './limits.ts';
import { nodeName } from './namespaces.ts';
import { serverProfiles } from './profiles.ts';
import { variantText } from './variant-text.ts';

/** One node of a server's address space. */
export interface BrowsedNode {
  /** Browse names from the Objects folder down, separated by `/`. */
  readonly path: string;
  /** As a tag's `node` wants it: `nsu=<uri>;s=…`. */
  readonly node: string;
  readonly nodeClass: 'Object' | 'Variable';
  /** Variables only: name of the built-in data type; that of the node where there is no value now, `Null` where neither tells. */
  readonly dataType: string | null;
  /** Variables only: the value now, as text. */
  readonly value: string | null;
  /** Arrays only: how many elements there are now. */
  readonly arrayLength: number | null;
  /** The server lets this user write it. */
  readonly isWritable: boolean;
  /** The server keeps its history. */
  readonly hasHistory: boolean;
}

export interface BrowseLimits {
  readonly maxNodes: number;
  readonly maxDepth: number;
}

const objectsFolder = 'ns=0;i=85';
/** The server's own diagnostics: large, and not what an integrator looks for. */
const serverObject = 'ns=0;i=2253';
const maxValueLength = 80;
/** A folder with more children than this many pages is cut off. */
const maxPages = 1_000;

/**
 * Lists what a server offers below its Objects folder, breadth first, each node once however many ways (or loops) lead to it, up to the
 * limits. Throws RetryableError when the server cannot be reached or refuses the session.
 */
export async function browseServer(config: OpcuaConfig, stateDir: string, limits: BrowseLimits): Promise<readonly BrowsedNode[]> {
  const user = await userOf(config);
  const client = await createClient(config, stateDir);
  try {
    await client.connect(config.endpoint);
    const session = await client.createSession(user);
    try {
      const { read } = await readLimits(session, serverProfiles[config.profile]);
      return await readVariables(session, await walk(session, limits), read);
    } finally {
      await session.close();
    }
  } catch (error) {
    throw await connectError(error, config, stateDir);
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
      for (const reference of await references(session, parent.nodeId, maxNodes - found.length)) {
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

/** The children of a node; more than `wanted` only as far as the server's page goes. */
async function references(session: ClientSession, nodeId: string, wanted: number): Promise<readonly ReferenceDescription[]> {
  let result = await session.browse({
    nodeId,
    referenceTypeId: 'HierarchicalReferences',
    includeSubtypes: true,
    browseDirection: BrowseDirection.Forward,
    nodeClassMask: NodeClass.Object | NodeClass.Variable,
    resultMask: 63,
  });
  const all = [...(result.references ?? [])];
  for (let page = 0; hasMore(result.continuationPoint); page++) {
    const isEnough = all.length > wanted || page >= maxPages;
    result = await session.browseNext(result.continuationPoint as Buffer, isEnough);
    if (isEnough) break;
    all.push(...(result.references ?? []));
  }
  return all;
}

function hasMore(point: Buffer | null | undefined): boolean {
  return point !== undefined && point !== null && point.length > 0;
}

interface Attributes {
  readonly value: DataValue | undefined;
  readonly access: number;
  /** Of the node, asked for only where the value has none. */
  readonly declared?: string | undefined;
}

async function readVariables(session: ClientSession, found: readonly Found[], nodesPerRead: number): Promise<readonly BrowsedNode[]> {
  const attributes = new Map<string, Attributes>();
  const variables = found.filter(({ nodeClass }) => nodeClass === 'Variable');
  await inChunks(variables, Math.max(1, Math.floor(nodesPerRead / 2)), async (chunk) => {
    const answers = await session.read(
      chunk.flatMap(({ nodeId }) => [
        { nodeId, attributeId: AttributeIds.Value },
        { nodeId, attributeId: AttributeIds.UserAccessLevel },
      ]),
    );
    chunk.forEach(({ nodeId }, k) => {
      const access: unknown = answers[2 * k + 1]?.value.value;
      attributes.set(nodeId, { value: answers[2 * k], access: typeof access === 'number' ? access : 0 });
    });
  });
  await readDeclaredTypes(session, attributes, nodesPerRead);
  return found.map(({ path, node, nodeId, nodeClass }) => {
    const { value, access, declared } = attributes.get(nodeId) ?? { value: undefined, access: 0 };
    const variant = value?.value;
    return {
      path,
      node,
      nodeClass,
      dataType: variant === undefined ? null : (declared ?? DataType[variant.dataType] ?? null),
      value: variant === undefined ? null : shortened(variantText(variant)),
      arrayLength: isList(variant?.value) && variant?.arrayType === 1 ? variant.value.length : null,
      isWritable: (access & AccessLevelFlag.CurrentWrite) !== 0,
      hasHistory: (access & AccessLevelFlag.HistoryRead) !== 0,
    };
  });
}

/** A sensor that is broken, or a machine that is off, has no value to tell the type by: the node itself has one. */
async function readDeclaredTypes(session: ClientSession, attributes: Map<string, Attributes>, nodesPerRead: number): Promise<void> {
  const untyped = [...attributes].filter(([, { value }]) => value?.value.dataType === DataType.Null);
  await inChunks(untyped, nodesPerRead, async (chunk) => {
    const answers = await session.read(chunk.map(([nodeId]) => ({ nodeId, attributeId: AttributeIds.DataType })));
    chunk.forEach(([nodeId, known], k) => {
      attributes.set(nodeId, { ...known, declared: builtInType(answers[k]?.value.value) });
    });
  });
}

/** The name of a built-in type (i=1 to i=25 of the OPC UA namespace, Part 6 §5.1.2); undefined for all others. */
function builtInType(id: unknown): string | undefined {
  if (!(id instanceof NodeId) || id.namespace !== 0 || typeof id.value !== 'number') return undefined;
  return id.value >= 1 && id.value <= 25 ? DataType[id.value] : undefined;
}

function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && 'length' in value);
}

function shortened(text: string | null): string | null {
  return text !== null && text.length > maxValueLength ? `${text.slice(0, maxValueLength)}…` : text;
}
