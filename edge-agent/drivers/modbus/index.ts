import type { DataTypeName } from '@nhip/core/wire/sparkplug/datatype';
import type { DriverPlugin, MetricDefinition } from '../../driver.ts';
import { isScaled } from '../conversion.ts';
import { reportRule } from '../fields.ts';
import { parseAddress } from './address.ts';
import { type ModbusConfig, type ModbusDeviceConfig, modbusConfig } from './config.ts';
import type { ModbusTagConfig } from './tag-config.ts';
import { valueTypes } from './value-types.ts';
import { writeProblem } from './write-problem.ts';

export const modbus: DriverPlugin<ModbusConfig> = {
  name: 'modbus',
  summary: 'Modbus TCP and RTU: PLCs, meters and gateways, read in as few requests as the device allows',
  config: modbusConfig,
  metrics: (device: ModbusDeviceConfig) => device.tags.map(metricOf),
  writeProblem,
  load: () => import('./driver.ts'),
};

function metricOf(tag: ModbusTagConfig): MetricDefinition {
  return {
    name: tag.metric,
    dataType: dataTypeOf(tag),
    unit: tag.unitName,
    report: reportRule(tag),
    isWritable: tag.writable || undefined,
  };
}

function dataTypeOf(tag: ModbusTagConfig): DataTypeName {
  if (tag.enum !== undefined) return 'String';
  if (isScaled(tag) || tag.scaleFactor !== undefined) return 'Double';
  const address = parseAddress(tag.address);
  if ('problem' in address) return 'Unknown';
  if (address.type === 'bool') return 'Boolean';
  return address.type === 'string' ? 'String' : valueTypes[address.type].dataType;
}
