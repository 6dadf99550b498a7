import { createNodeClock } from '@nhip/core/process/node-clock';
import { tables } from '@nhip/edge-agent/drivers/modbus/address';
import { type FoundUnit, type ProbeReport, probeRegisters, type ScanTarget, scanUnits } from '@nhip/edge-agent/drivers/modbus/scan';
import { type SerialSettings, serialConfig } from './serial-flags.ts';

export interface ModbusScan {
  readonly endpoint: string;
  readonly serial: SerialSettings;
  readonly units: readonly number[];
  readonly timeoutMs: number;
  /** First and last address to probe in each table of each unit that answers; undefined: units only. */
  readonly addresses: readonly [number, number] | undefined;
}

interface Table extends ProbeReport {
  readonly table: string;
}

export interface ScannedUnit extends FoundUnit {
  readonly tables: readonly Table[];
}

const maxRequestsPerTable = 400;

/**
 * Looks who answers, then which registers there are. `say` gets each unit as soon as everything is known about it; resolves with how
 * many ids were asked. Rejects when the endpoint cannot be reached.
 */
export async function scanModbus(scan: ModbusScan, source: string, say: (unit: ScannedUnit) => void, signal: AbortSignal): Promise<number> {
  const target: ScanTarget = { endpoint: scan.endpoint, serial: serialConfig(scan.serial, source), clock: createNodeClock() };
  let asked = 0;
  for (const [from, to] of ranges(scan.units)) {
    const found: FoundUnit[] = [];
    const tell = (unit: FoundUnit): void => {
      if (scan.addresses === undefined) say({ ...unit, tables: [] });
      else found.push(unit);
    };
    asked += await scanUnits(target, { from, to, timeoutMs: scan.timeoutMs }, tell, signal);
    for (const unit of found) say({ ...unit, tables: await probe(target, unit.unit, scan, signal) });
  }
  return asked;
}

async function probe(target: ScanTarget, unit: number, scan: ModbusScan, signal: AbortSignal): Promise<readonly Table[]> {
  const [from, to] = scan.addresses ?? [0, 0];
  const found: Table[] = [];
  for (const table of tables) {
    const options = { unit, table, from, to, timeoutMs: scan.timeoutMs, maxRequests: maxRequestsPerTable };
    found.push({ table, ...(await probeRegisters(target, options, signal)) });
  }
  return found;
}

/** 1, 2, 3, 7 → 1–3, 7–7. */
function ranges(units: readonly number[]): readonly (readonly [number, number])[] {
  const found: [number, number][] = [];
  for (const unit of [...units].sort((a, b) => a - b)) {
    const last = found.at(-1);
    if (last !== undefined && last[1] === unit - 1) last[1] = unit;
    else found.push([unit, unit]);
  }
  return found;
}

export function scannedUnitText({ unit, identity, answerMs, tables: found }: ScannedUnit): string {
  const what = identity === undefined ? 'does not say what it is' : Object.values(identity).join(' ');
  const isCoarse = found.some((each) => each.unknown.length > 0);
  const hint = '    not known: so many requests did not suffice; ask for less at once, e.g. --addresses 100-199';
  const lines = found.map(({ table, readable, unknown, requests }) => {
    const parts = [span(readable, 'nothing'), ...(unknown.length === 0 ? [] : [`not known: ${span(unknown, '')}`])];
    return `    ${table.padEnd(9)} ${parts.join('; ')}  (${requests} requests)`;
  });
  return [`unit ${String(unit).padStart(3)}  ${answerMs.toFixed(0).padStart(4)} ms  ${what}`, ...lines, ...(isCoarse ? [hint] : [])].join(
    '\n',
  );
}

function span(spans: readonly (readonly [number, number])[], empty: string): string {
  return spans.length === 0 ? empty : spans.map(([first, last]) => (first === last ? `${first}` : `${first}–${last}`)).join(', ');
}
