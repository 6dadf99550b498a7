import type { ConnectionConfig, DriverPlugin, MetricDefinition } from '../driver.ts';
import { reportRule } from '../drivers/fields.ts';

/**
 * The metrics that a device reports: what its driver reads, without the tags that are for rules only (`publish: false`), and its
 * derived tags. Births, outbox and session know these and no others.
 */
export function deviceMetrics<C extends ConnectionConfig>(
  plugin: DriverPlugin<C>,
  device: C['devices'][number],
): readonly MetricDefinition[] {
  return allMetrics(plugin, device).filter(({ report }) => report?.publish !== false);
}

/** Everything that an expression may name. */
function allMetrics<C extends ConnectionConfig>(plugin: DriverPlugin<C>, device: C['devices'][number]): readonly MetricDefinition[] {
  const derived = (device.derived ?? []).map((tag) => ({
    name: tag.metric,
    dataType: tag.dataType,
    unit: tag.unitName,
    report: reportRule(tag),
  }));
  return [...plugin.metrics(device), ...derived];
}
