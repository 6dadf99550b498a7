import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';
import { TLSSocket } from 'node:tls';

/** What is known of a request before it is trusted. */
export interface RequestFacts {
  readonly headers: IncomingHttpHeaders;
  /** Where it comes from: the peer, or whom a trusted proxy names. */
  readonly address: string;
  /** Whether it came over TLS, to us or to a trusted proxy. */
  readonly isEncrypted: boolean;
}

export type ReadFacts = (request: IncomingMessage) => RequestFacts;

/** A request has passed few proxies; what stands further left was written by a stranger. */
const maxHops = 10;

/**
 * Reads where a request comes from. `trustedProxies`: addresses and subnets (`10.0.0.0/24`) whose X-Forwarded-For and
 * X-Forwarded-Proto are believed, read from the right as far as trusted addresses reach; everybody else's are ignored.
 */
export function createRequestFacts(trustedProxies: readonly string[]): ReadFacts {
  const trusted = new BlockList();
  for (const each of trustedProxies) {
    const { address, bits, family } = subnetOf(each) ?? {};
    if (address === undefined || bits === undefined || family === undefined) throw new TypeError(`${each} is no address`);
    trusted.addSubnet(address, bits, family);
  }
  const isTrusted = (address: string): boolean => isIP(address) !== 0 && trusted.check(address, familyOf(address));

  return ({ headers, socket }) => {
    const peer = plain(socket.remoteAddress ?? '');
    const isOverTls = socket instanceof TLSSocket;
    if (!isTrusted(peer)) return { headers, address: peer, isEncrypted: isOverTls };
    const hops = listOf(headers['x-forwarded-for']).slice(-maxHops);
    let address = peer;
    while (isTrusted(address)) {
      const before = withoutPort(hops.pop() ?? '');
      if (isIP(before) === 0) break;
      address = plain(before);
    }
    return { headers, address, isEncrypted: isOverTls || listOf(headers['x-forwarded-proto']).at(-1) === 'https' };
  };
}

/** `10.0.0.1`, `10.0.0.0/24`, `::1`; undefined when it is none of these. */
export function subnetOf(text: string): { readonly address: string; readonly bits: number; readonly family: 'ipv4' | 'ipv6' } | undefined {
  const [address = '', bits, ...rest] = text.split('/');
  if (isIP(address) === 0 || rest.length > 0) return undefined;
  const family = familyOf(address);
  const most = family === 'ipv4' ? 32 : 128;
  if (bits === undefined) return { address, bits: most, family };
  return /^\d{1,3}$/.test(bits) && Number(bits) <= most ? { address, bits: Number(bits), family } : undefined;
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}

/** IPv4 as a socket for both kinds shows it. */
function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '');
}

/** `10.0.0.1:5000` and `[::1]:5000`, as some proxies write. */
function withoutPort(text: string): string {
  return /^\[([^\]]*)\](?::\d+)?$/.exec(text)?.[1] ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(text)?.[1] ?? text;
}

function listOf(header: string | readonly string[] | undefined): string[] {
  return String(header ?? '')
    .split(',')
    .map((each) => each.trim());
}
