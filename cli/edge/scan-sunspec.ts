import { createNodeClock } from '@nhip/core/process/node-clock';
import { ModbusRequestError } from '@nhip/edge-agent/drivers/modbus/errors';
import { type ScanTarget, saysNobodyIsThere, withHolding } from '@nhip/edge-agent/drivers/modbus/scan';
import { sunspecYaml } from '@nhip/edge-agent/profiles/sunspec/describe';
import { discoverSunspec, type SunspecDevice } from '@nhip/edge-agent/profiles/sunspec/discover';
import { type SerialSettings, serialConfig } from './serial-flags.ts';

export interface SunspecScan {
  readonly endpoint: string;
  readonly serial: SerialSettings;
  readonly units: readonly number[];
  /** For one answer. */
  readonly timeoutMs: number;
}

/** What one unit has; `device` is null when it has no chain of models, and `reason` says why. */
export interface SunspecUnit {
  readonly unit: number;
  /** Somebody answered, whatever. */
  readonly isThere: boolean;
  readonly device: SunspecDevice | null;
  readonly reason: string | null;
  /** Its devices as they stand under `devices:`, empty when there is none with a profile. */
  readonly yaml: string;
}

/** Walks the chain of each unit in turn; a unit that does not answer does not end it. Rejects when the endpoint cannot be reached. */
export async function scanSunspec(
  scan: SunspecScan,
  source: string,
  say: (found: SunspecUnit) => void,
  signal: AbortSignal,
): Promise<void> {
  const target: ScanTarget = { endpoint: scan.endpoint, serial: serialConfig(scan.serial, source), clock: createNodeClock() };
  for (const unit of scan.units) {
    try {
      const device = await withHolding(target, { unit, timeoutMs: scan.timeoutMs }, signal, discoverSunspec);
      if (device === undefined) say({ unit, isThere: true, device: null, reason: 'no SunSpec marker at 40000, 50000 or 0', yaml: '' });
      else
        say({
          unit,
          isThere: true,
          device,
          reason: null,
          yaml: device.models.some(({ hasProfile }) => hasProfile) ? sunspecYaml(device, unit) : '',
        });
    } catch (error) {
      if (!(error instanceof ModbusRequestError)) throw error;
      say({ unit, isThere: !saysNobodyIsThere(error), device: null, reason: error.what, yaml: '' });
    }
  }
}

/** Lines of comment: all that is printed may be pasted. */
export function sunspecUnitText({ unit, device, reason }: SunspecUnit): string {
  if (device === null) return `# unit ${unit}: ${reason}`;
  const { manufacturer, model, version, serial } = device;
  const what = [`${manufacturer} ${model}`.trim(), version && `version ${version}`, serial && `serial ${serial}`]
    .filter(Boolean)
    .join(', ');
  return [
    `# unit ${unit}: ${inOneLine(what || 'does not say what it is')}; SunSpec at ${device.base}`,
    ...device.models.map(({ id, base, length, hasProfile, notMeasured }) => {
      const values = hasProfile
        ? `profile sunspec-${id}${notMeasured.length === 0 ? '' : `, ${notMeasured.length} without a value`}`
        : 'no profile';
      return `#   model ${String(id).padStart(5)} at ${String(base).padStart(5)}, ${String(length).padStart(3)} registers: ${values}`;
    }),
    ...device.problems.map((problem) => `#   ! ${problem}`),
  ].join('\n');
}

/** What a device says about itself must not begin a line of its own. */
function inOneLine(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?');
}

/** `connections:` with one connection for the devices of all units; undefined when there is none. */
export function connectionYaml(
  { endpoint, serial }: Pick<SunspecScan, 'endpoint' | 'serial'>,
  found: readonly SunspecUnit[],
): string | undefined {
  const devices = found.map(({ yaml }) => yaml).join('');
  if (devices === '') return undefined;
  return [
    'connections:',
    '  - id: sunspec',
    '    driver: modbus',
    `    endpoint: ${JSON.stringify(endpoint)}`,
    ...(serial.serial === undefined ? [] : [`    serial: ${JSON.stringify(serial.serial)}`]),
    '    devices:',
    ...devices
      .trimEnd()
      .split('\n')
      .map((line) => `      ${line}`),
  ].join('\n');
}
