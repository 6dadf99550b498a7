import type { BrowsedNode } from './browse.ts';
import { maxElements } from './tags.ts';

/** Metric types for the built-in types of OPC UA that have one. */
const dataTypes: Readonly<Record<string, string>> = {
  SByte: 'Int8',
  Byte: 'UInt8',
  Int16: 'Int16',
  Int32: 'Int32',
  Int64: 'Int64',
  UInt16: 'UInt16',
  UInt32: 'UInt32',
  UInt64: 'UInt64',
  Float: 'Float',
  Double: 'Double',
  Boolean: 'Boolean',
  String: 'String',
  LocalizedText: 'String',
  DateTime: 'DateTime',
};
const longestMetric = 256;

/**
 * YAML for a device's `tags:`, a line for every variable that was browsed: the metric is its path, without the part that all of them
 * share. Variables whose type is no metric's, and empty arrays, are comments. Nothing is writable: that is for a person to say.
 */
export function proposeTags(nodes: readonly BrowsedNode[]): string {
  const variables = nodes.filter(({ nodeClass }) => nodeClass === 'Variable');
  const shared = sharedFolders(variables.map(({ path }) => path));
  const used = new Set<string>();
  const lines = variables.map(({ path, node, dataType, arrayLength }) => {
    const metric = path.split('/').slice(shared).join('/').slice(0, longestMetric);
    const type = dataTypes[dataType ?? ''];
    if (type === undefined) return `# ${oneLine(metric)}: ${node.replaceAll(/[\r\n]/g, ' ')} is a ${dataType ?? 'value of unknown type'}`;
    if (arrayLength === 0) return `# ${oneLine(metric)}: ${node.replaceAll(/[\r\n]/g, ' ')} is an array without elements now`;
    // Metric names that differ in case only are one name for many hosts.
    const isTwice = used.has(metric.toLowerCase());
    used.add(metric.toLowerCase());
    const fields = [`metric: ${quoted(metric)}`, `node: ${quoted(node)}`, `dataType: ${type}`];
    if (arrayLength !== null) fields.push(`elements: ${quoted(`0-${Math.min(arrayLength, maxElements) - 1}`)}`);
    return `${isTwice ? '# the same metric again: ' : ''}- { ${fields.join(', ')} }`;
  });
  return lines.map((line) => `${line}\n`).join('');
}

/** How many folders all paths begin with. */
function sharedFolders(paths: readonly string[]): number {
  const [first = '', ...others] = paths.map((path) => path.split('/').slice(0, -1).join('/'));
  if (paths.length < 2) return Math.max(0, (paths[0]?.split('/').length ?? 1) - 1);
  const steps = first.split('/');
  const isShared = (count: number): boolean => {
    const start = steps.slice(0, count).join('/');
    return others.every((other) => other === start || other.startsWith(`${start}/`));
  };
  let count = 0;
  while (first !== '' && count < steps.length && isShared(count + 1)) count++;
  return count;
}

/** JSON strings are YAML strings. */
function quoted(text: string): string {
  return JSON.stringify(text);
}

function oneLine(text: string): string {
  return text.replaceAll(/[\r\n]/g, ' ');
}
