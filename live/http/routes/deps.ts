import type { Log } from '@nhip/core/process/log';
import type { EdgeHealth, PipelineStats } from '@nhip/core/wire/live';
import type { HistoryStore } from '@nhip/stores/history-store';
import type { Authenticator } from '../../auth/authenticator.ts';
import type { EdgeControl } from '../../edge-control.ts';
import type { Gate } from '../../gate.ts';
import type { LiveHub } from '../../hub.ts';
import type { Downtime } from '../../kpi/downtime.ts';
import type { KpiService } from '../../kpi/kpi-service.ts';
import type { SseOutlet } from '../../sse.ts';
import type { ViewerSlots } from '../../viewers.ts';
import type { Exports } from '../exports.ts';
import type { MetricFamily } from '../prometheus.ts';
import type { ReadFacts } from '../request-facts.ts';
import type { Backups } from './backup.ts';
import type { DeadLetters } from './dead-letters.ts';
import type { SharingDesk } from './sharing.ts';

/** What the routes answer from. */
export interface RouteDeps {
  readonly hub: LiveHub;
  readonly store: HistoryStore;
  readonly authenticator: Authenticator;
  readonly sse: SseOutlet;
  readonly slots: ViewerSlots;
  /** Bounds the queries that run against the history at the same time. */
  readonly queries: Gate;
  readonly kpi: KpiService;
  readonly downtime: Downtime;
  /** undefined: the store writes no files. */
  readonly exports: Exports | undefined;
  readonly demo: boolean;
  /** For the link from a machine to its dashboard; undefined: there is none. */
  readonly grafanaUrl: string | undefined;
  readonly readFacts: ReadFacts;
  /** 0: no device stays logged in. */
  readonly rememberDays: number;
  /** Browsers come over TLS, by a proxy that does not say so. */
  readonly isPublicByTls: boolean;
  readonly unknownAfterMs: number;
  stats(): PipelineStats;
  edges(): readonly EdgeHealth[];
  readonly edgeControl: EdgeControl;
  /** For the audit lines of what is asked of edges. */
  readonly log: Log;
  /** Why the service cannot serve now; [] when it can. */
  notReady(): readonly string[];
  metrics(): readonly MetricFamily[];
  /** undefined: this process cannot do that. */
  readonly backups: Backups | undefined;
  readonly deadLetters: DeadLetters | undefined;
  /** undefined: there is no way to a sector platform, so nothing leaves. */
  readonly sharing?: SharingDesk | undefined;
}
