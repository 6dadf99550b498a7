import { ConfigError, PermanentError, RetryableError } from '@nhip/core/process/errors';
import { AttributeIds, coerceNodeId, DataType, type DataValue, type NodeId, Variant, VariantArrayType } from 'node-opcua-client';
import type { Reading, TagWrite } from '../../driver.ts';
import type { Link, Session } from './link.ts';
import { resolveNodes } from './node-ids.ts';
import type { Subscribed } from './subscriptions.ts';
import { createValueReader, timestampOf } from './values.ts';
import { rawValue, writeProblem } from './write-problem.ts';
import { variantValue } from './write-value.ts';

const namespaceArrayNode = 'ns=0;i=2255';
/** CurrentWrite of AccessLevel (OPC UA Part 3 §8.57). */
const currentWrite = 0x02;

/** What the names of the config mean in this session. */
type Names = Pick<Subscribed, 'nodes' | 'namespaces'>;

/**
 * Writes one value and reads it back. Without `known` it looks the node up by itself: who only writes need not subscribe, which would
 * read the history that the agent is still to deliver. The namespace table is read again just before: a value must not reach another node.
 * Throws ConfigError before anything is sent for what the config or the type does not allow, PermanentError when the server refuses.
 */
export async function writeTag(link: Omit<Link, 'emit'>, known: Names | undefined, deviceId: string, write: TagWrite): Promise<Reading> {
  const { session, config, deps, over, lose } = link;
  const where = `${deviceId} ${write.metric}`;
  const device = config.devices.find(({ id }) => id === deviceId);
  const tag = device?.tags.find(({ metric }) => metric === write.metric);
  const problem = writeProblem({ tags: device?.tags ?? [] }, write);
  if (tag === undefined || problem !== undefined) throw new ConfigError(where, [problem ?? 'there is no such tag']);
  const raw = rawValue(tag, write.value);
  if ('problem' in raw) throw new ConfigError(where, [raw.problem]);
  const { nodes, namespaces } = known ?? (await lookUp(session, tag.node));
  over.throwIfAborted();
  const resolved = nodes.get(tag.node);
  if (resolved === undefined || 'reason' in resolved)
    throw new PermanentError('opcua.write', `${where}: the server has no ${tag.node} now`);
  const nodeId = coerceNodeId(resolved.nodeId);

  const [table, access, userAccess, type, rank] = await session.read([
    { nodeId: namespaceArrayNode, attributeId: AttributeIds.Value },
    { nodeId, attributeId: AttributeIds.AccessLevel },
    { nodeId, attributeId: AttributeIds.UserAccessLevel },
    { nodeId, attributeId: AttributeIds.DataType },
    { nodeId, attributeId: AttributeIds.ValueRank },
  ]);
  over.throwIfAborted();
  const uris: unknown = table?.value.value;
  if (Array.isArray(uris) && uris.join('\n') !== namespaces.join('\n')) {
    lose('the server numbers its namespaces anew');
    throw new RetryableError('opcua.write', `${where}: not written, the server numbers its namespaces anew`);
  }
  if (![access, userAccess].every(isWritable))
    throw new PermanentError('opcua.write', `${where}: the server lets nobody write ${tag.node}`);
  const valueRank: unknown = rank?.value.value;
  if (typeof valueRank === 'number' && valueRank >= 1) throw new ConfigError(where, [`${tag.node} is an array at the server`]);
  const dataType = await builtInType(link, nodeId, type, where);
  const fitted = variantValue(raw.raw, dataType);
  if ('problem' in fitted) throw new ConfigError(where, [fitted.problem]);
  over.throwIfAborted();

  const status = await session.write({
    nodeId,
    attributeId: AttributeIds.Value,
    // Without a time and a status: many servers refuse to have them set (Part 4 §5.11.4).
    value: { value: new Variant({ dataType, arrayType: VariantArrayType.Scalar, value: fitted.value }) },
  });
  if (status.isNotGood()) throw new PermanentError('opcua.write', `${where}: the server refuses the value: ${status.name}`);
  const after = await session.read({ nodeId, attributeId: AttributeIds.Value });
  over.throwIfAborted();
  const { value, quality } = createValueReader(tag)(after);
  return { metric: tag.metric, value, quality, timestampMs: timestampOf(after, deps.clock.now()) };
}

async function lookUp(session: Session, node: string): Promise<Names> {
  const namespaces = await session.readNamespaceArray();
  return { namespaces, nodes: await resolveNodes(session, [node], namespaces, 1) };
}

/** Servers that do not tell their access level are left to refuse the write. */
function isWritable(answer: DataValue | undefined): boolean {
  const level: unknown = answer?.value.value;
  return typeof level !== 'number' || (level & currentWrite) !== 0;
}

async function builtInType(
  { session }: Pick<Link, 'session'>,
  nodeId: NodeId,
  declared: DataValue | undefined,
  where: string,
): Promise<DataType> {
  if (declared === undefined || declared.statusCode.isNotGood())
    throw new PermanentError(
      'opcua.write',
      `${where}: the server does not tell the data type (${declared?.statusCode.name ?? 'no result'})`,
    );
  const dataType = await session.getBuiltInDataType(nodeId);
  if (dataType !== DataType.Variant && dataType !== DataType.Null) return dataType;
  // Any type is allowed: the one that is there now is kept.
  return (await session.read({ nodeId, attributeId: AttributeIds.Value })).value.dataType;
}
