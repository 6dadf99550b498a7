import { execFile } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { imageOf, readCompose, type Service } from './compose-file.ts';
import { freePort } from './free-port.ts';
import { checkout, type Process, startProcess } from './nhip.ts';

/**
 * The services of docker-compose.yml as processes, for a computer without Docker: their own command lines, environments and health
 * checks. What a container would see at a place is put there by exchanging names: mounts become links, ports become free ones,
 * names of services become 127.0.0.1.
 */
export interface ComposeProcesses {
  readonly services: readonly Service[];
  /** Where a container's path lies. */
  path(service: string, inside: string): string;
  /** Where a port of a container listens. */
  port(service: string, inside: number): number;
  start(service: string): Process;
  /** Runs the service's health check once: its exit code, and what it said. */
  checkHealth(service: string): Promise<{ readonly code: number; readonly said: string }>;
}

export async function composeProcesses(dir: string): Promise<ComposeProcesses> {
  const { services } = readCompose();
  const ports = new Map<string, number>();
  for (const { name, expose } of services) for (const port of expose) ports.set(`${name}:${port}`, await freePort());
  const named = (name: string): Service => {
    const service = services.find((each) => each.name === name);
    if (service === undefined) throw new Error(`docker-compose.yml has no service ${name}`);
    return service;
  };

  /** A port without a host is the service's own, or that of the only service that has it. */
  function portOf(service: Service, port: string): string {
    const own = ports.get(`${service.name}:${port}`);
    const owner = own === undefined ? services.find(({ expose }) => expose.includes(port)) : undefined;
    return String(own ?? (owner === undefined ? port : ports.get(`${owner.name}:${port}`)));
  }

  /** Each service has a folder that is its root; its mounts are links in it. */
  function pathOf({ name, mounts }: Service, text: string): string {
    const isMounted = mounts.some(({ target }) => isBelow(text, target) || isBelow(target, text));
    if (isMounted) return join(dir, 'roots', name, text);
    return isBelow(text, '/opt/nhip') ? `${checkout}${text.slice('/opt/nhip'.length)}` : text;
  }

  function here(service: Service, text: string): string {
    const names = services.map(({ name }) => name).join('|');
    return text
      .replaceAll(new RegExp(`\\b(${names}):(\\d+)\\b`, 'g'), (found, name, port) => `127.0.0.1:${ports.get(`${name}:${port}`) ?? found}`)
      .replaceAll('0.0.0.0', '127.0.0.1')
      .replaceAll(/(?<![\w.-])(\d{4,5})(?![\w.-])/g, (_, port) => portOf(service, port))
      .replaceAll(/(?<![\w.:/])\/[\w./-]+/g, (path) => pathOf(service, path));
  }

  function lineOf(service: Service): readonly string[] {
    const image = service.target === undefined ? undefined : imageOf(service.target);
    const line = [...(service.entrypoint ?? image?.entrypoint ?? []), ...(service.command ?? [])];
    return line.flatMap((word, i) => {
      if (word === 'node') return [process.execPath];
      // The bundle for gateways is the same program with fewer commands.
      if (word === '/opt/nhip-edge/nhip-edge.mjs') return [join(checkout, 'cli/bin.mjs'), 'edge'];
      return [line[i - 1] === '--host' ? '127.0.0.1' : here(service, word)];
    });
  }

  function environmentOf(service: Service): Record<string, string> {
    const image = service.target === undefined ? {} : imageOf(service.target).environment;
    const pairs = Object.entries({ ...image, ...service.environment });
    return Object.fromEntries(pairs.map(([name, value]) => [name, here(service, String(value))]));
  }

  for (const { name, mounts } of services) {
    for (const { source, target } of [...mounts].sort((one, other) => one.target.length - other.target.length)) {
      const here = source.startsWith('./') ? join(checkout, source) : join(dir, 'volumes', source);
      if (!source.startsWith('./')) mkdirSync(here, { recursive: true });
      const link = join(dir, 'roots', name, target);
      mkdirSync(dirname(link), { recursive: true });
      symlinkSync(here, link);
    }
  }
  return {
    services,
    path: (service, inside) => pathOf(named(service), inside),
    port: (service, inside) => Number(portOf(named(service), String(inside))),
    start: (name) => startProcess(lineOf(named(name)), environmentOf(named(name))),
    checkHealth(name) {
      const service = named(name);
      const [kind, file = '', ...args] = service.healthcheck?.test ?? [];
      if (kind !== 'CMD') throw new Error(`${name}: its health check is no CMD`);
      const program = file === 'node' ? process.execPath : file;
      return new Promise((resolve) => {
        execFile(
          program,
          args.map((word) => here(service, word)),
          (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code ?? -1), said: `${stdout}${stderr}` }),
        );
      });
    },
  };
}

function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}
