/** Where a connection leads, and how its frames are built. */
export type Endpoint =
  | { readonly kind: 'tcp' | 'listen'; readonly framing: 'tcp' | 'rtu'; readonly host: string; readonly port: number }
  | { readonly kind: 'serial'; readonly framing: 'rtu'; readonly path: string };

export const endpointForms =
  'tcp://host:port, rtu:///dev/ttyUSB0, rtu-over-tcp://host:port, listen-tcp://address:port or listen-rtu-over-tcp://address:port';

const schemes = {
  tcp: { kind: 'tcp', framing: 'tcp' },
  'rtu-over-tcp': { kind: 'tcp', framing: 'rtu' },
  'listen-tcp': { kind: 'listen', framing: 'tcp' },
  'listen-rtu-over-tcp': { kind: 'listen', framing: 'rtu' },
} as const;

/** As the tools write it: `modbus-tcp://…` is the same as `tcp://…`. */
const toolPrefix = /^modbus-(?=(?:tcp|rtu|rtu-over-tcp):\/\/)/;

/**
 * Reads one of `endpointForms`, or one of them as the tools write it; undefined when the text is none. IPv6 hosts stand in brackets.
 * The port of `tcp` is 502 when absent; the others have no usual port, so it must be there.
 */
export function parseEndpoint(written: string): Endpoint | undefined {
  const text = written.replace(toolPrefix, '');
  const serial = /^rtu:\/\/(\/[^\s?]+|COM\d+)$/.exec(text)?.[1];
  if (serial !== undefined) return { kind: 'serial', framing: 'rtu', path: serial };
  const match = /^([a-z-]+):\/\/(?:\[([0-9a-fA-F:.]+)\]|([^\s:/[\]]+))(?::(\d{1,5}))?\/?$/.exec(text);
  const name = match?.[1] ?? '';
  if (!Object.hasOwn(schemes, name)) return undefined;
  const scheme = schemes[name as keyof typeof schemes];
  const host = match?.[2] ?? match?.[3];
  const port = Number(match?.[4] ?? (name === 'tcp' ? 502 : 0));
  return host === undefined || port < 1 || port > 65_535 ? undefined : { ...scheme, host, port };
}

/** Why a text is no endpoint, in one sentence; undefined when it is one. */
export function endpointProblem(text: string): string | undefined {
  if (parseEndpoint(text) !== undefined) return undefined;
  const [, before = '', unit] = /^(.*[^/])\/(\d{1,3})$/.exec(text) ?? [];
  if (unit !== undefined && parseEndpoint(before) !== undefined) {
    return `"${text}": the unit stands with each device (unit: ${unit}), the endpoint ends before it: ${before}`;
  }
  return `"${text}" is no endpoint: use ${endpointForms}`;
}
