import { describe, expect, it } from 'vitest';
import { nodeName, parseNode, resolveNode } from './namespaces.ts';

const table = ['http://opcfoundation.org/UA/', 'urn:server', 'urn:plant;x', 'urn:plant'];

function resolved(text: string): string | undefined {
  const node = parseNode(text);
  if ('problem' in node) return node.problem;
  return 'path' in node ? 'a path' : resolveNode(node, table);
}

describe('node names', () => {
  it.each([
    ['nsu=urn:plant;s=Line 1.Speed', 'ns=3;s=Line 1.Speed'],
    ['nsu=urn:plant;s=a;b=c', 'ns=3;s=a;b=c'],
    ['nsu=urn:plant%3Bx;i=7', 'ns=2;i=7'],
    ['nsu=urn:plant;g=09087e75-8e5e-499b-954f-f2a9603db28a', 'ns=3;g=09087e75-8e5e-499b-954f-f2a9603db28a'],
    ['i=2258', 'ns=0;i=2258'],
    ['nsu=http://opcfoundation.org/UA/;i=2258', 'ns=0;i=2258'],
  ])('%s is %s here', (text, expected) => {
    expect(resolved(text)).toBe(expected);
  });

  it('has no node id in a namespace that the server does not have', () => {
    expect(resolved('nsu=urn:gone;s=x')).toBeUndefined();
  });

  it.each([
    'ns=2;s=Speed',
    's=Speed',
    'nsu=;s=x',
    'nsu=urn:plant',
    'nsu=urn:plant;x=1',
    'i=-1',
    '',
    'path:',
    'path:Objects',
    'path:/',
    'path:/{urn:x}',
    'path:/{urn:x/a',
    'path:/a//b',
  ])('refuses "%s"', (text) => {
    expect(parseNode(text)).toHaveProperty('problem');
  });

  it('reads a path of browse names with their namespaces', () => {
    expect(parseNode('path:/Objects/{http://opcfoundation.org/UA/Machinery/}Machines/{urn:a}Press &/ saw &{1&}')).toEqual({
      path: [
        { namespaceUri: undefined, name: 'Objects' },
        { namespaceUri: 'http://opcfoundation.org/UA/Machinery/', name: 'Machines' },
        { namespaceUri: 'urn:a', name: 'Press / saw {1}' },
      ],
    });
  });

  it('writes a node id of a session as a name that holds in every session', () => {
    for (const nodeId of ['ns=3;s=a;b', 'ns=2;i=7', 'ns=0;i=85']) expect(resolved(nodeName(nodeId, table))).toBe(nodeId);
  });
});
