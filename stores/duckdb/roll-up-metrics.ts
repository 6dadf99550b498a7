import { metricNames } from '@nhip/core/wire/vocabulary';

/** Metrics below this prefix are cumulative counters. */
export const counterMetrics = 'Count/';
/** The cumulative meter. */
export const energyMetric = metricNames.energyImport;
/** Metrics whose text is one of a few words that hold until the next. */
export const stateMetrics = [metricNames.state, metricNames.mode, metricNames.connection] as const;
