import { connect } from 'node:net';
import { parseEndpoint } from '@nhip/edge-agent/drivers/modbus/endpoint';
import { codeOf, type Finding, note, ok, wrong } from './finding.ts';
import { serialPortFinding, serialPortState } from './serial-port.ts';

export interface MachineEndpoint {
  readonly connection: string;
  /** e.g. tcp://192.168.1.20:502 or opc.tcp://192.168.1.30:4840 */
  readonly endpoint: string;
}

const timeoutMs = 3000;
const opcuaPort = 4840;

/** Whether each machine takes a TCP connection, or its serial port is there. It asks nothing of it: the agent may be using its only session. */
export async function machineFindings(endpoints: readonly MachineEndpoint[]): Promise<readonly Finding[]> {
  return Promise.all(endpoints.map(oneMachine));
}

async function oneMachine({ connection, endpoint }: MachineEndpoint): Promise<Finding> {
  const who = `${connection}: ${endpoint}`;
  const place = opcuaPlace(endpoint) ?? parseEndpoint(endpoint);
  if (place === undefined) return note('machines', `${who} is no address that the doctor can look for.`);
  if (place.kind === 'serial') return serialPortFinding(who, serialPortState(place.path));
  if (place.kind === 'listen')
    return note('machines', `${who} waits for the machine to dial in; the log of the agent says whether it did.`);
  const code = await reach(place.host, place.port);
  if (code === undefined) return ok('machines', `${who} answers.`);
  const todo =
    code === 'ECONNREFUSED'
      ? 'The computer is there but nobody listens on that port: is the service of the PLC switched on, is the port right, are all its connections taken?'
      : 'Check power, cable, address and firewall of the machine.';
  return wrong('machines', `${who} cannot be reached (${code}).`, todo);
}

function opcuaPlace(endpoint: string): { readonly kind: 'tcp'; readonly host: string; readonly port: number } | undefined {
  const match = /^opc\.tcp:\/\/(?:\[([^\]/]+)\]|([^:/]+))(?::(\d{1,5}))?(?:\/|$)/.exec(endpoint);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3] ?? opcuaPort);
  return host === undefined || port < 1 || port > 65_535 ? undefined : { kind: 'tcp', host, port };
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
