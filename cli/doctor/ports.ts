import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { isLoopback } from '@nhip/core/process/loopback';
import { codeOf, type Finding, note, ok, wrong } from './finding.ts';

export interface WantedPort {
  readonly what: string;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly setting: string;
  /** Whether what crosses it is encrypted here or by a proxy. */
  readonly isProtected: boolean;
}

export interface PortHolder {
  readonly pid: number;
  readonly name: string;
}

/** `free`, `server`: the running server has it, otherwise why it cannot be had and, when it is known, who has it. */
export type PortFacts = 'free' | 'server' | { readonly code: string; readonly holder: PortHolder | undefined };

export function portFindings({ what, host, port, setting, isProtected }: WantedPort, facts: PortFacts): readonly Finding[] {
  const findings: Finding[] = [];
  const place = `port ${port} on ${host}`;
  if (facts === 'server') findings.push(ok('ports', `${what}: the running server has ${place}.`));
  else if (facts === 'free') findings.push(ok('ports', port === 0 ? `${what}: any free port on ${host}.` : `${what}: ${place} is free.`));
  else if (facts.code === 'EADDRINUSE') {
    const holder = facts.holder === undefined ? 'another program' : `process ${facts.holder.pid} (${facts.holder.name})`;
    findings.push(wrong('ports', `${what}: ${holder} has ${place}.`, `Stop it, or choose another port with ${setting}.`));
  } else if (facts.code === 'EACCES') {
    findings.push(wrong('ports', `${what}: ${place} needs more rights than you have.`, `Choose one from 1024 on with ${setting}.`));
  } else {
    findings.push(
      wrong('ports', `${what}: ${place} cannot be had (${facts.code}).`, 'Check the address: it must be one of this computer.'),
    );
  }
  if (!isLoopback(host) && !isProtected) {
    const todo = 'Fine in a network of its own; otherwise live.tls and broker.tls, with live.host and broker.host on loopback.';
    findings.push(note('ports', `${what} is open to the network and not encrypted: passwords can be read on the way.`, todo));
  }
  return findings;
}

/** Tries to listen there. `serverPid`: the running server, if there is one. */
export async function portFacts({ host, port }: WantedPort, serverPid: number | undefined): Promise<PortFacts> {
  const code = await new Promise<string | undefined>((resolve) => {
    const probe = createServer().once('error', (error) => resolve(codeOf(error)));
    probe.listen(port, host, () => probe.close(() => resolve(undefined)));
  });
  if (code === undefined) return 'free';
  const holder = code === 'EADDRINUSE' ? holderOf(port) : undefined;
  const isServer = code === 'EADDRINUSE' && serverPid !== undefined && (holder === undefined || holder.pid === serverPid);
  return isServer ? 'server' : { code, holder };
}

/** The process that listens on a TCP port, by /proc (Linux, own processes or root); undefined when it cannot be told. */
export function holderOf(port: number): PortHolder | undefined {
  try {
    const sockets = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) => listeningInodes(readFileSync(file, 'utf8'), port));
    const wanted = new Set(sockets.map((inode) => `socket:[${inode}]`));
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      if (holdsOne(pid, wanted)) return { pid: Number(pid), name: readFileSync(`/proc/${pid}/comm`, 'utf8').trim() };
    }
  } catch {
    // No /proc here, or the process has just ended.
  }
  return undefined;
}

/** proc(5): local address is `<hex ip>:<hex port>`, state 0A is LISTEN, field 9 is the inode. */
export function listeningInodes(table: string, port: number): readonly string[] {
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  return table.split('\n').flatMap((line) => {
    const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
    return local?.endsWith(`:${hexPort}`) && state === '0A' && inode !== undefined ? [inode] : [];
  });
}

function holdsOne(pid: string, sockets: ReadonlySet<string>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      try {
        return sockets.has(readlinkSync(`/proc/${pid}/fd/${fd}`));
      } catch {
        return false;
      }
    });
  } catch {
    return false;
  }
}
