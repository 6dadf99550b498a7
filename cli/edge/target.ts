import { ConfigError } from '@nhip/core/process/errors';

/** What a tool is pointed at. */
export type Target =
  /** `endpoint` as a connection of the configuration has it. */
  | { readonly kind: 'modbus'; readonly endpoint: string; readonly unit: number | undefined }
  | { readonly kind: 'opcua'; readonly endpoint: string };

export const targetForms =
  'modbus-tcp://HOST[:PORT][/UNIT] | modbus-rtu-over-tcp://HOST:PORT[/UNIT] | modbus-rtu:///dev/ttyUSB0[/UNIT] | opc.tcp://HOST:PORT';

const defaultPort = { tcp: 502, 'rtu-over-tcp': undefined } as const;

/** Reads a target; `modbus-` may be left out, as in the configuration. `source` names the command in the error. Throws ConfigError when it is none. */
export function parseTarget(text: string | undefined, source: string): Target {
  if (text === undefined) throw new ConfigError(source, [`say where: ${targetForms}`]);
  if (/^opc\.tcp:\/\/[^\s/]+(\/\S*)?$/.test(text)) return { kind: 'opcua', endpoint: text };
  const serial = /^(?:modbus-)?(?<endpoint>rtu:\/\/\/[^\s?]+?)(?:\/(?<unit>\d{1,3}))?$/.exec(text)?.groups;
  if (serial?.endpoint !== undefined) return { kind: 'modbus', endpoint: serial.endpoint, unit: unitOf(serial.unit, text, source) };
  const net = /^(?:modbus-)?(?<scheme>tcp|rtu-over-tcp):\/\/(?<host>\[[^\]\s]+\]|[^:/\s]+)(?::(?<port>\d{1,5}))?\/?(?<unit>\d{1,3})?$/.exec(
    text,
  )?.groups;
  const scheme = net?.scheme as keyof typeof defaultPort | undefined;
  const port = net?.port ?? (scheme === undefined ? undefined : defaultPort[scheme]);
  if (net === undefined || scheme === undefined || port === undefined || Number(port) < 1 || Number(port) > 65_535) {
    const hint = /^(modbus-)?listen-/.test(text) ? '; a tool cannot wait for a device that dials in' : '';
    throw new ConfigError(source, [`"${text}" is none of ${targetForms}${hint}`]);
  }
  return { kind: 'modbus', endpoint: `${scheme}://${net.host}:${port}`, unit: unitOf(net.unit, text, source) };
}

function unitOf(text: string | undefined, target: string, source: string): number | undefined {
  if (text === undefined) return undefined;
  const unit = Number(text);
  if (unit > 255) throw new ConfigError(source, [`"${target}": a unit is 0–255, ${text} is none`]);
  return unit;
}

/** `1-5,20` → 1…5, 20. Throws ConfigError when it is no list of units. */
export function parseUnits(text: string, source: string): readonly number[] {
  const units = new Set<number>();
  for (const part of text.split(',')) {
    const match = /^(\d{1,3})(?:-(\d{1,3}))?$/.exec(part.trim());
    const first = Number(match?.[1]);
    const last = Number(match?.[2] ?? match?.[1]);
    if (match === null || last > 255 || first > last) throw new ConfigError(source, [`"${text}" is no list of units, e.g. 1-5,20 (0–255)`]);
    for (let unit = first; unit <= last; unit++) units.add(unit);
  }
  return [...units];
}
