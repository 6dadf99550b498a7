import { connect } from 'node:net';
import { codeOf, type Finding, ok, wrong } from './finding.ts';

export interface MachineEndpoint {
  readonly connection: string;
  /** e.g. tcp://192.168.1.20:502 or opc.tcp://192.168.1.30:4840 */
  readonly endpoint: string;
}

const timeoutMs = 3000;
const defaultPorts: Readonly<Record<string, number>> = { 'tcp:': 502, 'opc.tcp:': 4840 };

/** Whether each machine takes a TCP connection. It asks nothing of it: the agent may be using its only session. */
export async function machineFindings(endpoints: readonly MachineEndpoint[]): Promise<readonly Finding[]> {
  return Promise.all(endpoints.map(oneMachine));
}

async function oneMachine({ connection, endpoint }: MachineEndpoint): Promise<Finding> {
  const match = /^(?<protocol>[a-z.]+:)\/\/(?<host>\[[^\]]+\]|[^:/]+)(?::(?<port>\d+))?/.exec(endpoint)?.groups;
  const host = match?.host?.replace(/^\[|\]$/g, '') ?? '';
  const port = Number(match?.port ?? defaultPorts[match?.protocol ?? ''] ?? 0);
  const code = await reach(host, port);
  if (code === undefined) return ok('machines', `${connection}: ${endpoint} answers.`);
  const todo =
    code === 'ECONNREFUSED'
      ? 'The computer is there but nobody listens on that port: is the service of the PLC switched on, is the port right, are all its connections taken?'
      : 'Check power, cable, address and firewall of the machine.';
  return wrong('machines', `${connection}: ${endpoint} cannot be reached (${code}).`, todo);
}

function reach(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: timeoutMs });
    const end = (code: string | undefined): void => {
      socket.destroy();
      resolve(code);
    };
    socket.once('connect', () => end(undefined));
    socket.once('error', (error) => end(codeOf(error)));
    socket.once('timeout', () => end('ETIMEDOUT'));
  });
}
