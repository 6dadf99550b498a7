import { metricNames } from '@nhip/core/wire/vocabulary';
import type { NodeDataType, NodePoint, RegisterPoint } from '../points.ts';

/** Short forms for the tables of points. */
type Extras<P> = Omit<P, 'protocol' | 'metric' | 'name' | 'dataType' | 'table' | 'address' | 'type'>;

export function node(metric: string, name: string, dataType: NodeDataType, extras: Extras<NodePoint> = {}): NodePoint {
  return { protocol: 'opcua', metric, name, dataType, ...extras };
}

export function register(
  metric: string,
  table: RegisterPoint['table'],
  address: number,
  type: RegisterPoint['type'],
  extras: Extras<RegisterPoint> = {},
): RegisterPoint {
  return { protocol: 'modbus', metric, table, address, type, ...extras };
}

/** An analogue node: a Double with its unit and deadband. */
export function gauge(metric: string, name: string, unitName: string, deadband: number): NodePoint {
  return node(metric, name, 'Double', { unitName, deadband });
}

/** Jobs, power and energy: every OPC UA machine of the plant publishes them the same way. */
export const jobAndEnergyNodes: readonly NodePoint[] = [
  node(metricNames.cycleIdealMs, 'IdealCycleTime', 'UInt32', { unitName: 'ms' }),
  node(metricNames.jobProduct, 'Product', 'String'),
  node(metricNames.jobLot, 'Lot', 'String'),
  gauge(metricNames.powerActive, 'Power', 'kW', 0.2),
  node(metricNames.energyImport, 'Energy', 'Double', { unitName: 'kWh' }),
];
