import type { Client } from 'aedes';

/**
 * Bounds the size of a packet before the parser collects it. mqtt-packet buffers up to 256 MB for one announced packet,
 * also before CONNECT, and neither it nor Aedes has a limit; so the length is looked at where the parser reads it.
 */
interface Parser {
  packet: { length: number };
  _parseLength(): boolean;
}

/** CONNECT carries ids, credentials and a will; more than this is an attack. */
const maxConnectBytes = 4096;

/**
 * Closes the connection when a packet announces more than `maxBytes` (4 KiB before the client has logged in).
 * Throws when Aedes or mqtt-packet changed the private field that this rests on: better no broker than one without a limit.
 */
export function guardPackets(client: Client, maxBytes: number, onRefused: (bytes: number) => void): void {
  const parser = (client as unknown as { _parser?: Parser })._parser;
  if (parser === undefined || typeof parser._parseLength !== 'function') {
    throw new Error('The MQTT parser has no _parseLength: check broker/packet-guard.ts against the installed aedes and mqtt-packet');
  }
  const original = parser._parseLength;
  parser._parseLength = function guarded(this: Parser): boolean {
    const complete = original.call(this);
    const limit = isLoggedIn(client) ? maxBytes : maxConnectBytes;
    if (complete && this.packet.length > limit) {
      onRefused(this.packet.length);
      client.conn.destroy();
      return false;
    }
    return complete;
  };
}

/** `connected` comes true only some turns after the CONNACK, when a client may long have sent its birth. */
function isLoggedIn(client: Client): boolean {
  return client.connected || (client as unknown as { _authorized?: boolean })._authorized === true;
}

/**
 * Aedes drops a packet whose counter is below the last one it delivered to the client, as a guard against duplicates in
 * a cluster; packets that overtake each other are lost that way, retained and QoS 1 ones too. One process has no
 * duplicates to drop, so the memory of counters is made to forget.
 */
export function deliverOvertakingPackets(client: Client, brokerId: string): void {
  const { duplicates } = client as unknown as { duplicates: Record<string, number> };
  Object.defineProperty(duplicates, brokerId, { get: () => 0, set() {} });
}
