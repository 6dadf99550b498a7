import type { DriverPlugin } from '../../driver.ts';
import { reportRule } from '../fields.ts';
import { type OpcuaConfig, type OpcuaDeviceConfig, opcuaConfig } from './config.ts';

export const opcua: DriverPlugin<OpcuaConfig> = {
  name: 'opcua',
  summary: 'OPC UA: subscriptions to any server, nodes named by namespace URI, optional encryption',
  config: opcuaConfig,
  metrics: (device: OpcuaDeviceConfig) =>
    device.tags.map((tag) => ({ name: tag.metric, dataType: tag.dataType, unit: tag.unitName, report: reportRule(tag) })),
  load: () => {
    // node-opcua prints to the console already while it is loaded.
    process.env.NODEOPCUA_LOG_LEVEL ??= '0';
    return import('./driver.ts');
  },
};
