import type { DataTypeName } from '@nhip/core/wire/sparkplug/datatype';
import type { DriverPlugin, MetricDefinition } from '../../driver.ts';
import { isScaled } from '../conversion.ts';
import { reportRule } from '../fields.ts';
import { type ModbusType, parseAddress } from './address.ts';
import { type ModbusConfig, type ModbusDeviceConfig, type ModbusTagConfig, modbusConfig } from './config.ts';

const dataTypes: Readonly<Record<ModbusType, DataTypeName>> = {
  bool: 'Boolean',
  int16: 'Int16',
  uint16: 'UInt16',
  int32: 'Int32',
  uint32: 'UInt32',
  int64: 'Int64',
  uint64: 'UInt64',
  float32: 'Float',
  float64: 'Double',
  string: 'String',
};

export const modbus: DriverPlugin<ModbusConfig> = {
  name: 'modbus',
  summary: 'Modbus TCP: PLCs, meters and gateways, read in as few requests as the device allows',
  config: modbusConfig,
  metrics: (device: ModbusDeviceConfig) => device.tags.map(metricOf),
  load: () => import('./driver.ts'),
};

function metricOf(tag: ModbusTagConfig): MetricDefinition {
  return { name: tag.metric, dataType: dataTypeOf(tag), unit: tag.unitName, report: reportRule(tag) };
}

function dataTypeOf(tag: ModbusTagConfig): DataTypeName {
  if (tag.enum !== undefined) return 'String';
  if (isScaled(tag)) return 'Double';
  const address = parseAddress(tag.address);
  return 'problem' in address ? 'Unknown' : dataTypes[address.type];
}
