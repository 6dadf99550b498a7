import { describe, expect, it } from 'vitest';
import { parseNode, resolveNode } from './namespaces.ts';

const table = ['http://opcfoundation.org/UA/', 'urn:server', 'urn:plant;x', 'urn:plant'];

describe('node names', () => {
  it.each([
    ['nsu=urn:plant;s=Line 1.Speed', 'ns=3;s=Line 1.Speed'],
    ['nsu=urn:plant;s=a;b=c', 'ns=3;s=a;b=c'],
    ['nsu=urn:plant%3Bx;i=7', 'ns=2;i=7'],
    ['nsu=urn:plant;g=09087e75-8e5e-499b-954f-f2a9603db28a', 'ns=3;g=09087e75-8e5e-499b-954f-f2a9603db28a'],
    ['i=2258', 'ns=0;i=2258'],
    ['nsu=http://opcfoundation.org/UA/;i=2258', 'ns=0;i=2258'],
  ])('%s is %s here', (text, expected) => {
    const node = parseNode(text);
    expect('problem' in node ? node.problem : resolveNode(node, table)).toBe(expected);
  });

  it('has no node id in a namespace that the server does not have', () => {
    const node = parseNode('nsu=urn:gone;s=x');
    expect('problem' in node ? node.problem : resolveNode(node, table)).toBeUndefined();
  });

  it.each(['ns=2;s=Speed', 's=Speed', 'nsu=;s=x', 'nsu=urn:plant', 'nsu=urn:plant;x=1', 'i=-1', ''])('refuses "%s"', (text) => {
    expect(parseNode(text)).toHaveProperty('problem');
  });
});
