import { isDeepStrictEqual } from 'node:util';
import type { DeviceConfig, MetricDefinition } from '../driver.ts';

/** A connection as the diff sees it: its whole configuration, defaults filled in. */
export interface DiffedConnection {
  readonly config: { readonly id: string };
  readonly devices: readonly DiffedDevice[];
}

/** What the birth of a device is made of. */
export interface DiffedDevice {
  readonly config: DeviceConfig;
  readonly metrics: readonly MetricDefinition[];
}

export interface DiffedConfig<C extends DiffedConnection = DiffedConnection> {
  readonly connections: readonly C[];
  /** Every other setting of the file. */
  readonly settings: Readonly<Record<string, unknown>>;
}

export interface ConfigDiff<C extends DiffedConnection = DiffedConnection> {
  /** They go on untouched. */
  readonly same: readonly C[];
  readonly added: readonly C[];
  readonly removed: readonly C[];
  /** As they shall be; they start anew. */
  readonly changed: readonly C[];
  /** Over all connections: a device may move from one to another and stay what it is. */
  readonly devices: {
    readonly added: readonly DiffedDevice[];
    readonly removed: readonly string[];
    /** Their birth would say something else. */
    readonly changed: readonly DiffedDevice[];
  };
  /** Names of the settings that differ and that only a restart applies. */
  readonly needRestart: readonly string[];
}

/**
 * What leads from one configuration to another. Pure. Ids are unique within each (the configuration's own check). A connection is
 * the same only when everything in it is; the order of connections, and the order of keys, means nothing.
 */
export function diffConfig<C extends DiffedConnection>(before: DiffedConfig<C>, after: DiffedConfig<C>): ConfigDiff<C> {
  const old = new Map(before.connections.map((connection) => [connection.config.id, connection]));
  const wanted = new Set(after.connections.map(({ config }) => config.id));
  const isSame = (connection: C): boolean => isDeepStrictEqual(old.get(connection.config.id)?.config, connection.config);
  const known = after.connections.filter(({ config }) => old.has(config.id));
  const oldDevices = devicesOf(before);
  const newDevices = devicesOf(after);
  const settings = new Set([...Object.keys(before.settings), ...Object.keys(after.settings)]);
  return {
    same: known.filter(isSame),
    changed: known.filter((connection) => !isSame(connection)),
    added: after.connections.filter(({ config }) => !old.has(config.id)),
    removed: before.connections.filter(({ config }) => !wanted.has(config.id)),
    devices: {
      added: [...newDevices.values()].filter(({ config }) => !oldDevices.has(config.id)),
      removed: [...oldDevices.keys()].filter((id) => !newDevices.has(id)),
      changed: [...newDevices.values()].filter((device) => {
        const was = oldDevices.get(device.config.id);
        return was !== undefined && !isDeepStrictEqual(birthOf(was), birthOf(device));
      }),
    },
    needRestart: [...settings].filter((name) => !isDeepStrictEqual(before.settings[name], after.settings[name])).sort(),
  };
}

function devicesOf({ connections }: DiffedConfig): ReadonlyMap<string, DiffedDevice> {
  return new Map(connections.flatMap(({ devices }) => devices.map((device) => [device.config.id, device] as const)));
}

/** How often a value is read or reported is not in the birth. */
function birthOf({ config, metrics }: DiffedDevice): unknown {
  const { displayName, kind, line, profile } = config;
  return { displayName, kind, line, profile, metrics: metrics.map(({ report: _, ...metric }) => metric) };
}
