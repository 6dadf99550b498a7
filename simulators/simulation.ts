import { join } from 'node:path';
import type { Clock, Disk, Timer } from '@nhip/core/process/env';
import type { Log } from '@nhip/core/process/log';
import type { SimulationConfig } from './config.ts';
import type { PlantDefinition } from './plants/definition.ts';
import { createPlant, type Plant, type PlantSnapshot } from './plants/plant.ts';
import { readSnapshot, writeSnapshot } from './plants/snapshot-file.ts';
import { isRegister } from './points.ts';
import { createModbusServer, type ModbusServer } from './protocols/modbus-server.ts';
import type { OpcUaServer } from './protocols/opcua-server.ts';

/** A plant that runs in real time and serves its machines on their protocols. */
export interface Simulation {
  /** Restores the last snapshot, then listens. Rejects when a port is taken; `stop` then cleans up. A simulation starts once. */
  start(): Promise<void>;
  /** Closes the ports and writes the snapshot. Idempotent. */
  stop(): Promise<void>;
  /** Where it listens; zeros before `start`. */
  ports(): { readonly modbus: number; readonly opcua: number };
  health(): SimulationHealth;
  /** For tests: forces registers of PLCs. */
  readonly modbus: Pick<ModbusServer, 'setRegister' | 'release'>;
}

export interface SimulationHealth {
  readonly isRunning: boolean;
  readonly machines: number;
  /** ms UTC of the last step; null before the first one. */
  readonly lastStepMs: number | null;
}

/** `disk` is rooted in `config.dataDir`. */
export interface SimulationDeps {
  readonly clock: Clock;
  readonly disk: Disk;
  readonly log: Log;
}

const tickMs = 500;
const snapshotIntervalMs = 30_000;
/** After a longer pause (a suspended computer) the plant goes on instead of catching up. */
const longestStepMs = 60_000;

/** `initial` is where the plant starts when its folder holds no snapshot yet, e.g. the end of a generated history. */
export function createSimulation(
  definition: PlantDefinition,
  config: SimulationConfig,
  deps: SimulationDeps,
  initial?: PlantSnapshot,
): Simulation {
  const { clock, disk, log } = deps;
  const plant = createPlant(definition, config.seed);
  const modbus = createModbusServer({ host: config.host, port: config.modbusPort, units: modbusUnits(plant) }, { log });
  const ports = { modbus: 0, opcua: 0 };
  let opcua: OpcUaServer | undefined;
  let timer: Timer | undefined;
  let lastStepMs: number | null = null;
  let isRunning = false;
  let [steppedAt, savedAt] = [0, 0];
  let saving: Promise<void> = Promise.resolve();
  let starting: Promise<void> | undefined;

  const save = (): Promise<void> => {
    savedAt = clock.monotonic();
    const snapshot = plant.snapshot();
    saving = saving
      .then(() => writeSnapshot(disk, snapshot))
      .catch((err: unknown) => log.warn({ err }, 'The plant snapshot could not be written; the next start continues from an older one'));
    return saving;
  };

  const tick = (): void => {
    const now = clock.monotonic();
    const dtMs = Math.min(longestStepMs, Math.max(1, (now - steppedAt) * config.speed));
    steppedAt = now;
    lastStepMs = clock.now();
    plant.step(dtMs, lastStepMs);
    opcua?.update(lastStepMs);
    if (now - savedAt >= snapshotIntervalMs) void save();
    timer = clock.after(tickMs, tick);
  };

  const restore = async (): Promise<void> => {
    const found = await readSnapshot(disk, log);
    const snapshot = found ?? initial;
    if (snapshot === undefined) return;
    try {
      plant.restore(snapshot);
    } catch (err) {
      log.warn({ err }, 'The plant snapshot does not fit this plant; what does not fit starts anew');
    }
  };

  const start = async (): Promise<void> => {
    await restore();
    ports.modbus = await modbus.start();
    [steppedAt, savedAt] = [clock.monotonic(), clock.monotonic()];
    isRunning = true;
    tick();
    // Loaded late: the OPC UA stack takes a second and 100 MB, and nothing else needs it.
    const { createOpcUaServer } = await import('./protocols/opcua-server.ts');
    const pkiDir = join(config.dataDir, 'opcua-pki');
    opcua = createOpcUaServer({ host: config.host, port: config.opcuaPort, pkiDir, machines: opcuaMachines(plant) }, { log });
    ports.opcua = await opcua.start();
    opcua.update(clock.now());
    log.info({ plant: definition.id, ...ports }, 'Simulated plant runs');
  };

  return {
    modbus,
    ports: () => ({ ...ports }),
    health: () => ({ isRunning, machines: plant.machines.length, lastStepMs }),
    start() {
      starting ??= start();
      return starting;
    },
    async stop() {
      // A start that is under way cannot be broken off half-way; its error is the starter's to handle.
      await starting?.catch(() => {});
      const wasRunning = isRunning;
      isRunning = false;
      timer?.cancel();
      timer = undefined;
      await modbus.stop();
      await opcua?.stop();
      opcua = undefined;
      if (wasRunning) await save();
    },
  };
}

function modbusUnits(plant: Plant) {
  return plant.machines
    .filter(({ spec }) => spec.kind.protocol === 'modbus')
    .map(({ spec, machine }) => ({ unit: spec.unit ?? 1, points: spec.kind.points.filter(isRegister), values: () => machine.values() }));
}

function opcuaMachines(plant: Plant) {
  return plant.machines
    .filter(({ spec }) => spec.kind.protocol === 'opcua')
    .map(({ spec, machine }) => ({
      id: spec.id,
      displayName: spec.name.en,
      companion: spec.kind.companion ?? 'packml',
      points: spec.kind.points,
      values: () => machine.values(),
    }));
}
