import { type Finding, note, ok, wrong } from './finding.ts';

export interface VersionFacts {
  readonly node: string;
  readonly nhip: string;
  /** Release of the running server. */
  readonly serverNhip?: string | undefined;
  /** Schema of the store, and the newest that this release knows; undefined when it cannot be read now. */
  readonly schema?: number | undefined;
  readonly knownSchema: number;
}

const oldestNode = [20, 19] as const;
/** Upstream ends its support of these; distributions may go on. */
const endedNode = 20;

export function versionFindings({ node, nhip, serverNhip, schema, knownSchema }: VersionFacts): readonly Finding[] {
  const findings: Finding[] = [];
  const [major = 0, minor = 0] = node.split('.').map(Number);
  if (major < oldestNode[0] || (major === oldestNode[0] && minor < oldestNode[1])) {
    findings.push(wrong('versions', `Node ${node} is too old.`, `Install ${oldestNode.join('.')} or newer, best the current LTS.`));
  } else if (major <= endedNode) {
    findings.push(note('versions', `Node ${node} gets no more fixes from its makers.`, 'Plan for the current LTS.'));
  } else findings.push(ok('versions', `Node ${node}.`));
  if (serverNhip !== undefined && serverNhip !== nhip) {
    const says = `This is Nhịp ${nhip}, the running server is ${serverNhip}.`;
    findings.push(note('versions', says, 'Restart the server when you have updated it.'));
  } else findings.push(ok('versions', `Nhịp ${nhip}.`));
  if (schema !== undefined && schema > knownSchema) {
    const says = `The store has schema ${schema}, this release knows ${knownSchema}.`;
    findings.push(wrong('versions', says, 'Start the release that wrote it, or restore a backup.'));
  }
  return findings;
}
