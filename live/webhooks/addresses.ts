import { lookup as systemLookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { PermanentError } from '@nhip/core/process/errors';

/**
 * Which addresses a webhook may reach. The check stands between the look-up of a name and the connection, which goes to the very
 * address that was checked: a name that later points elsewhere gains nothing (DNS rebinding).
 */
const closed = new BlockList();
for (const [network, bits] of [
  // RFC 6890 and its registry: this host, private, shared, link-local, protocol assignments, documentation, benchmarks, multicast, reserved.
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const) {
  closed.addSubnet(network, bits, 'ipv4');
}
for (const [network, bits] of [
  // Unspecified and loopback, translated IPv4, unique local, link-local, multicast, documentation.
  ['::', 127],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['2002::', 16],
  ['2001:db8::', 32],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const) {
  closed.addSubnet(network, bits, 'ipv6');
}

/** Whether an IP address is none of the public internet. */
export function isPrivateAddress(address: string): boolean {
  return closed.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6');
}

/** A look-up for sockets that fails for a name with an address that is not allowed. */
export function guardedLookup(allowPrivateNetwork: boolean): LookupFunction {
  return (hostname, options, callback) => {
    systemLookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, '');
      const refused = allowPrivateNetwork ? undefined : addresses.find(({ address }) => isPrivateAddress(address));
      if (refused !== undefined) return callback(privateProblem(hostname, refused.address), '');
      if (options.all === true) return callback(null, addresses);
      const [first] = addresses;
      callback(null, first?.address ?? '', first?.family ?? 0);
    });
  };
}

/** Sockets look up no host that is an address already: it is checked here. Throws PermanentError `live.webhookAddress`. */
export function checkLiteral(url: URL, allowPrivateNetwork: boolean): void {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (!allowPrivateNetwork && isIP(host) !== 0 && isPrivateAddress(host)) throw privateProblem(host, host);
}

function privateProblem(host: string, address: string): PermanentError {
  const name = host === address ? host : `${host} (${address})`;
  return new PermanentError(
    'live.webhookAddress',
    `${name} is in a private network: set allowPrivateNetwork of the webhook if it is meant`,
  );
}
