import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dataFolder } from '../folders.ts';
import { createChildren } from './children.ts';

let root: string;
let script: string | undefined;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'nhip-children-'));
  mkdirSync(join(root, 'logs'));
  const file = join(root, 'role.mjs');
  writeFileSync(file, 'console.log(JSON.stringify({ pid: process.pid })); setInterval(() => {}, 1000);');
  script = process.argv[1];
  process.argv[1] = file;
});
afterEach(() => {
  if (script !== undefined) process.argv[1] = script;
  rmSync(root, { recursive: true, force: true });
});

const isAlive = (pid: unknown): boolean => {
  try {
    return process.kill(Number(pid), 0);
  } catch {
    return false;
  }
};

describe('the processes of the demo', () => {
  it('all end with it, and none begins once it stops', async () => {
    const children = createChildren(dataFolder(root));
    const started = [children.start('edge-a', []), children.start('server', []), children.run('join', [])];
    const pids = await Promise.all(started.map(async ({ ready }) => (await ready).pid));
    expect(pids.map(isAlive)).toEqual([true, true, true]);
    const stopping = children.stop();
    expect(() => children.start('factory', [])).toThrow('the demo stops');
    expect(() => children.run('enrol', [])).toThrow('the demo stops');
    await stopping;
    expect(pids.map(isAlive)).toEqual([false, false, false]);
  });

  it('tells which role ended by itself; a command that ends is none', async () => {
    const children = createChildren(dataFolder(root));
    const role = children.start('server', []);
    const { pid } = await children.run('join', []).ready;
    const ended = children.anyEnded();
    process.kill(Number(pid), 'SIGKILL');
    process.kill(Number((await role.ready).pid), 'SIGKILL');
    expect(await ended).toMatchObject({ name: 'server' });
    await children.stop();
  });
});
