import { describe, expect, it } from 'vitest';
import { codeTitles } from './finding.ts';
import { checkMachineStatusSchema, checkPolicySchema, schemas } from './schema-check.ts';
import { leafNodes, resolved, type SchemaNode } from './schema-path.ts';

const all: readonly (readonly [string, SchemaNode])[] = Object.entries(schemas as Readonly<Record<string, SchemaNode>>);

function objectsIn(root: SchemaNode, node: SchemaNode): SchemaNode[] {
  const here = resolved(root, node);
  const below = [...Object.values(here.properties ?? {}), ...(here.items === undefined ? [] : [here.items]), ...(here.oneOf ?? [])];
  return [...(here.type === 'object' ? [here] : []), ...below.flatMap((each) => objectsIn(root, each))];
}

function listsIn(root: SchemaNode, node: SchemaNode): SchemaNode[] {
  const here = resolved(root, node);
  const below = [...Object.values(here.properties ?? {}), ...(here.items === undefined ? [] : [here.items])];
  return [...(here.type === 'array' ? [here] : []), ...below.flatMap((each) => listsIn(root, each))];
}

describe.each(all)('%s', (_, schema) => {
  it('is closed: no object takes a field that is not listed', () => {
    const objects = objectsIn(schema, schema);
    expect(objects.length).toBeGreaterThan(0);
    for (const object of objects) expect(object.additionalProperties).toBe(false);
  });

  it('bounds every list', () => {
    for (const list of listsIn(schema, schema)) expect(list.maxItems).toBeGreaterThan(0);
  });

  it('has no free text: every text is listed, or has a form without spaces that ends', () => {
    for (const node of leafNodes(schema, schema)) {
      if (node.const !== undefined || node.enum !== undefined || node.type !== 'string') continue;
      expect(node.pattern, JSON.stringify(node)).toMatch(/^\^.*\$$/);
      const pattern = new RegExp(node.pattern ?? '', 'u');
      for (const words of ['Nguyễn Văn A', 'Nguyen Van A', 'ca 1: chị Lan', '+84 912 345 678', 'lan@example.vn']) {
        expect(pattern.test(words), `${node.pattern} ${words}`).toBe(false);
      }
      expect(pattern.test('1'.repeat(2000)), node.pattern).toBe(false);
      expect(pattern.test(`${'a'.repeat(2000)}`), node.pattern).toBe(false);
    }
  });
});

it('names no person', () => {
  const names = (root: SchemaNode, node: SchemaNode): string[] => {
    const here = resolved(root, node);
    const below = [...Object.values(here.properties ?? {}), ...(here.items === undefined ? [] : [here.items])];
    return [...Object.keys(here.properties ?? {}), ...below.flatMap((each) => names(root, each))];
  };
  for (const name of [
    ...names(schemas.report as SchemaNode, schemas.report as SchemaNode),
    ...Object.keys(schemas.machineStatus.properties),
  ]) {
    expect(name).not.toMatch(/operator|person|worker|user|name|email|phone|author|approv|remark|comment|text/i);
  }
});

it('takes a machine status, and neither speed nor product with it', () => {
  const status = {
    machineRef: 'm_AAAAAAAAAAAAAAAAAAAAAA',
    machineClass: 'injection_moulding',
    state: 'running',
    since: '2026-03-01T07:55:12+07:00',
    seq: 81,
    packmlState: 6,
    consentId: 'urn:consent:2026-0077',
  };
  expect(checkMachineStatusSchema(status)).toEqual([]);
  expect(checkMachineStatusSchema({ ...status, speed: 12 })).toHaveLength(1);
  expect(checkMachineStatusSchema({ ...status, machineRef: 'press-3' })).toHaveLength(1);
  expect(checkPolicySchema(status).length).toBeGreaterThan(1);
});

it('explains every code in both languages', () => {
  expect(Object.keys(codeTitles)).toHaveLength(15 + 5 + 1);
  for (const { vi, en } of Object.values(codeTitles)) expect(vi.length > 5 && en.length > 5 && vi.normalize('NFC') === vi).toBe(true);
});
