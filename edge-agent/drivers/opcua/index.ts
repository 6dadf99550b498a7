import type { DriverPlugin } from '../../driver.ts';
import { reportRule } from '../fields.ts';
import { type OpcuaConfig, type OpcuaDeviceConfig, opcuaConfig } from './config.ts';
import { conditionMetrics, metricsOf } from './tags.ts';
import { writeProblem } from './write-problem.ts';

export const opcua: DriverPlugin<OpcuaConfig> = {
  name: 'opcua',
  summary: 'OPC UA: subscriptions to any server, nodes named by namespace URI, optional encryption, alarms, history after outages',
  config: opcuaConfig,
  metrics: ({ tags, events }: OpcuaDeviceConfig) => [
    ...tags.flatMap((tag) =>
      metricsOf(tag).map(({ metric }) => ({
        name: metric,
        dataType: tag.dataType,
        unit: tag.unitName,
        report: reportRule(tag),
        ...(tag.writable ? { isWritable: true } : {}),
      })),
    ),
    ...events.flatMap(({ conditions }) =>
      conditions.map(conditionMetrics).flatMap(({ active, message, severity }) => [
        { name: active, dataType: 'Boolean' as const },
        { name: message, dataType: 'String' as const },
        { name: severity, dataType: 'UInt16' as const },
      ]),
    ),
  ],
  writeProblem,
  load: () => {
    // node-opcua prints to the console already while it is loaded.
    process.env.NODEOPCUA_LOG_LEVEL ??= '0';
    return import('./driver.ts');
  },
  servers: {
    loadTrust: async () => {
      const { listCertificates: list, trust, reject } = await import('./trust.ts');
      return { list, trust, reject };
    },
    showsPassword: ({ username }) => username !== undefined,
  },
};
