import { ConfigError } from '@nhip/core/process/errors';
import type { DriverPlugin } from '../driver.ts';
import { modbus } from './modbus/index.ts';
import { opcua } from './opcua/index.ts';
import { simulated } from './simulated/index.ts';

/** Every driver, one line each, by the name that a connection's `driver` field says. */
export const drivers: ReadonlyMap<string, DriverPlugin> = registry([modbus, opcua, simulated]);

/** The driver of that name; `ConfigError` with the list of names when there is none. */
export function driverPlugin(name: string): DriverPlugin {
  const plugin = drivers.get(name);
  if (plugin === undefined) throw new ConfigError('driver', [`"${name}" is not a driver; there are ${[...drivers.keys()].join(', ')}`]);
  return plugin;
}

function registry(plugins: readonly DriverPlugin[]): ReadonlyMap<string, DriverPlugin> {
  const byName = new Map<string, DriverPlugin>();
  for (const plugin of plugins) {
    if (byName.has(plugin.name)) throw new Error(`two drivers are called ${plugin.name}`);
    byName.set(plugin.name, plugin);
  }
  return byName;
}
