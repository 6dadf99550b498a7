import { join } from 'node:path';
import type { DataFolder } from '../folders.ts';
import { type Child, startChild } from './child.ts';

/** The processes of the demo, which start in the background too and all end with it. */
export interface Children {
  /** A role, which runs until it is stopped. Throws once the demo stops. */
  readonly start: Start;
  /** A command that answers with one line of JSON and ends. Throws once the demo stops. */
  readonly run: RunOnce;
  /** Resolves when a role that was started before this call ends. */
  anyEnded(): Promise<{ readonly name: string; readonly exit: number }>;
  isStopping(): boolean;
  /** Edge agents first, so that they say goodbye; then everything else. */
  stop(): Promise<void>;
}

/** `data`: the folder of the demo unless said otherwise. */
export type Start = (name: string, args: readonly string[], data?: string) => Child;
export type RunOnce = (name: string, args: readonly string[]) => Child;

export function createChildren(folder: DataFolder): Children {
  const roles: Child[] = [];
  const commands: Child[] = [];
  let isStopping = false;

  const add = (list: Child[], name: string, args: readonly string[]): Child => {
    // What was started now would outlive the demo: nobody waits for it any more.
    if (isStopping) throw new Error('the demo stops');
    const child = startChild(name, args, join(folder.root, 'logs', `${name}.log`));
    list.push(child);
    return child;
  };

  return {
    start: (name, args, data = folder.root) => add(roles, name, [...args, '--data', data]),
    run: (name, args) => add(commands, name, args),
    anyEnded: () => Promise.race(roles.map(async ({ name, ended }) => ({ name, exit: await ended }))),
    isStopping: () => isStopping,
    async stop() {
      isStopping = true;
      const isEdge = ({ name }: Child): boolean => name.startsWith('edge');
      await Promise.all([...roles.filter(isEdge), ...commands].map((child) => child.stop()));
      await Promise.all(roles.filter((child) => !isEdge(child)).map((child) => child.stop()));
    },
  };
}
