import { randomBytes } from 'node:crypto';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { certificateAdvice } from '@nhip/edge-agent/session/certificate-advice';
import { codeOf, type Finding, ok, wrong } from './finding.ts';

export interface BrokerTarget {
  /** mqtt, mqtts, ws or wss. */
  readonly url: string;
  readonly username: string;
  readonly password: string;
  /** PEM of the CA; the CAs of the system when undefined. */
  readonly ca: string | undefined;
}

const timeoutMs = 5000;

/** Return codes of CONNACK (MQTT 3.1.1, table 3.1). */
const refusals: readonly string[] = ['', 'protocol version', 'client id', 'not available now', 'user name or password', 'not authorised'];

/**
 * Connects to the broker as the agent would, under a client id of its own, so that the running agent keeps its session: TCP,
 * certificate, login. Over WebSocket only the connection is tried.
 */
export async function brokerFindings(target: BrokerTarget): Promise<readonly Finding[]> {
  const url = new URL(target.url);
  const isTls = url.protocol === 'mqtts:' || url.protocol === 'wss:';
  const port = Number(url.port) || { 'mqtt:': 1883, 'mqtts:': 8883, 'ws:': 80, 'wss:': 443 }[url.protocol] || 1883;
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const place = `${host}:${port}`;
  let socket: Socket;
  try {
    socket = await open(host, port, isTls, target.ca);
  } catch (error) {
    return [unreachable(place, codeOf(error))];
  }
  const reached = ok('broker', `${place} answers${isTls ? ', its certificate is trusted' : ''}.`);
  if (url.protocol.startsWith('ws')) {
    socket.destroy();
    return [reached];
  }
  const answer = await login(socket, target);
  socket.destroy();
  if (answer === 0) return [reached, ok('broker', `It accepts ${target.username}.`)];
  if (typeof answer === 'string') {
    return [
      wrong('broker', `${place} does not speak MQTT as expected: ${answer}.`, 'Check the port: 1883 is plain, 8883 is TLS (mqtts://).'),
    ];
  }
  const says = `${place} refuses ${target.username} (${refusals[answer] ?? `code ${answer}`}).`;
  const todo = `On the server: nhip device add ${target.username}, then put the new password into the file of mqtt.passwordFile.`;
  return [reached, wrong('broker', says, todo)];
}

function unreachable(place: string, code: string): Finding {
  const advice: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'Is the server running, and does it listen on an address that this computer can reach (--host)?',
    ENOTFOUND: 'The name is not known: check mqtt.url and the DNS.',
    ETIMEDOUT: 'Nobody answers: check cable, address and firewall.',
    EHOSTUNREACH: 'There is no way to that network: check cable, address and gateway.',
  };
  const ofCertificate = certificateAdvice(code);
  const todo = advice[code] ?? (ofCertificate === undefined ? 'Check mqtt.url, cable and firewall.' : sentence(ofCertificate));
  return wrong('broker', `${place} cannot be reached (${code}).`, todo);
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function open(host: string, port: number, isTls: boolean, ca: string | undefined): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const options = { host, port, timeout: timeoutMs };
    const socket = isTls
      ? connectTls({ ...options, servername: /^[\d.:]+$/.test(host) ? '' : host, ...(ca === undefined ? {} : { ca }) })
      : connectTcp(options);
    socket.once(isTls ? 'secureConnect' : 'connect', () => resolve(socket));
    socket.once('error', reject);
    socket.once('timeout', () => socket.destroy(Object.assign(new Error('timed out'), { code: 'ETIMEDOUT' })));
  });
}

/** Sends CONNECT and reads CONNACK: its return code, or why there was none. */
function login(socket: Socket, { username, password }: BrokerTarget): Promise<number | string> {
  return new Promise((resolve) => {
    socket.removeAllListeners('timeout');
    socket.setTimeout(timeoutMs, () => resolve('no answer to CONNECT'));
    socket.once('error', (error) => resolve(codeOf(error)));
    socket.once('close', () => resolve('it closed the connection'));
    socket.once('data', (bytes) => resolve(bytes[0] === 0x20 && bytes.length >= 4 ? (bytes[3] as number) : 'it answered something else'));
    socket.write(connectPacket(`doctor-${randomBytes(6).toString('hex')}`, username, password));
  });
}

/** CONNECT of MQTT 3.1.1 (§3.1): clean session, user name, password, no will. */
export function connectPacket(clientId: string, username: string, password: string): Buffer {
  const text = (value: string): Buffer => {
    const bytes = Buffer.from(value);
    const length = Buffer.alloc(2);
    length.writeUInt16BE(bytes.length);
    return Buffer.concat([length, bytes]);
  };
  const body = Buffer.concat([text('MQTT'), Buffer.from([4, 0b1100_0010, 0, 10]), text(clientId), text(username), text(password)]);
  const length: number[] = [];
  for (let rest = body.length; ; ) {
    const digit = rest % 128;
    rest = Math.floor(rest / 128);
    length.push(rest > 0 ? digit | 0x80 : digit);
    if (rest === 0) break;
  }
  return Buffer.concat([Buffer.from([0x10, ...length]), body]);
}
