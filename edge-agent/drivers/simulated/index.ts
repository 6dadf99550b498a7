import type { DataTypeName } from '@nhip/core/wire/sparkplug/datatype';
import type { DriverPlugin } from '../../driver.ts';
import { isScaled } from '../conversion.ts';
import { reportRule } from '../fields.ts';
import { type SimulatedConfig, type SimulatedTag, simulatedConfig } from './config.ts';

export const simulated: DriverPlugin<SimulatedConfig> = {
  name: 'simulated',
  summary: 'Made-up values without any network: to try the agent, and to copy when writing a driver',
  config: simulatedConfig,
  metrics: (device: SimulatedConfig['devices'][number]) =>
    device.tags.map((tag) => ({ name: tag.metric, dataType: dataTypeOf(tag), unit: tag.unitName, report: reportRule(tag) })),
  load: () => import('./driver.ts'),
};

function dataTypeOf(tag: SimulatedTag): DataTypeName {
  if (tag.enum !== undefined) return 'String';
  if (tag.shape === 'switch') return 'Boolean';
  return tag.shape === 'counter' && !isScaled(tag) ? 'Int64' : 'Double';
}
