import type { FeedStats } from './feed.ts';
import type { GateStats } from './gate.ts';
import type { MetricFamily } from './http/prometheus.ts';
import { type PipelineFigures, pipelineFamilies } from './pipeline-metrics.ts';
import type { OutletStats } from './viewers.ts';

export interface LiveFigures extends PipelineFigures {
  readonly feed: FeedStats;
  /** By transport. */
  readonly outlets: Readonly<Record<string, OutletStats>>;
  /** Requests refused because their caller asks too often. */
  readonly rateLimited: number;
  /** What asks the store. */
  readonly queries: GateStats;
}

/** The service's own figures for Prometheus. Labels are bounded: route patterns, status classes, transports. */
export interface LiveMetrics {
  answered(route: string, status: number): void;
  families(figures: LiveFigures): readonly MetricFamily[];
}

export function createLiveMetrics(): LiveMetrics {
  const answers = new Map<string, { readonly labels: Readonly<Record<string, string>>; value: number }>();
  return {
    answered(route, status) {
      const labels = { route, status: `${Math.floor(status / 100)}xx` };
      const key = `${labels.route} ${labels.status}`;
      const known = answers.get(key);
      if (known === undefined) answers.set(key, { labels, value: 1 });
      else known.value += 1;
    },
    families({ feed, outlets, rateLimited, queries, ...pipeline }) {
      const perOutlet = (figure: (stats: OutletStats) => number) =>
        Object.entries(outlets).map(([transport, stats]) => ({ labels: { transport }, value: figure(stats) }));
      const one = (value: number) => [{ value }];
      return [
        ...pipelineFamilies(pipeline),
        { name: 'live_feed_records_total', help: 'Log records read by the live service', type: 'counter', samples: one(feed.records) },
        { name: 'live_feed_samples_total', help: 'Samples applied to the live picture', type: 'counter', samples: one(feed.samples) },
        { name: 'live_viewers', help: 'Open live connections', type: 'gauge', samples: perOutlet((stats) => stats.viewers) },
        {
          name: 'live_slow_viewers',
          help: 'Live connections that do not keep up',
          type: 'gauge',
          samples: perOutlet((stats) => stats.slow),
        },
        { name: 'live_frames_sent_total', help: 'Frames sent', type: 'counter', samples: perOutlet((stats) => stats.framesSent) },
        { name: 'live_snapshots_sent_total', help: 'Snapshots sent', type: 'counter', samples: perOutlet((stats) => stats.snapshotsSent) },
        {
          name: 'live_dropped_viewers_total',
          help: 'Live connections cut because they took nothing',
          type: 'counter',
          samples: perOutlet((stats) => stats.dropped),
        },
        {
          name: 'live_http_rate_limited_total',
          help: 'Requests refused because their caller asks too often',
          type: 'counter',
          samples: one(rateLimited),
        },
        { name: 'live_queries_running', help: 'Queries that the store is answering', type: 'gauge', samples: one(queries.running) },
        { name: 'live_queries_waiting', help: 'Queries that wait for their turn', type: 'gauge', samples: one(queries.waiting) },
        {
          name: 'live_queries_refused_total',
          help: 'Queries refused because too many wait',
          type: 'counter',
          samples: one(queries.refused),
        },
        {
          name: 'live_http_answers_total',
          help: 'HTTP answers',
          type: 'counter',
          samples: [...answers.values()].map((answer) => ({ ...answer })),
        },
      ];
    },
  };
}
