import type { Broker } from '@nhip/broker/broker';
import type { LogStats } from '@nhip/core/log/log-bus';
import type { MetricFamily } from '@nhip/live/http/prometheus';
import { counter, gauge } from './families.ts';

/** The broker: who is connected, what waits for the disk, what was refused. */
export function brokerFamilies(health: ReturnType<Broker['health']>): readonly MetricFamily[] {
  return [
    gauge('nhip_broker_connections', 'MQTT clients that are connected', health.connections),
    gauge('nhip_broker_pending_connections', 'Connections that have not logged in yet', health.pending),
    counter('nhip_broker_crowded_out_connections_total', 'Connections without a login that had to make room for others', health.crowdedOut),
    gauge('nhip_broker_waiting_messages', 'Messages that wait for the disk before they are acknowledged', health.waiting),
    counter('nhip_broker_received_messages_total', 'Messages that are in the log and acknowledged', health.received),
    counter('nhip_broker_unkept_messages_total', 'Messages that the log did not take: their publishers still have them', health.unkept),
    {
      name: 'nhip_broker_refusals_total',
      help: 'What was refused, by reason: not allowed to publish there (acl), packet too large, login',
      type: 'counter',
      samples: [
        { labels: { reason: 'acl' }, value: health.refused },
        { labels: { reason: 'oversized' }, value: health.oversized },
        { labels: { reason: 'login' }, value: health.authFailed },
      ],
    },
  ];
}

/** The log behind the broker, as its writer sees it. */
export function logFamilies(log: LogStats): readonly MetricFamily[] {
  return [
    gauge('nhip_log_segments', 'Files of the log', log.segments),
    counter('nhip_log_syncs_total', 'Syncs to the disk', log.syncs),
    counter('nhip_log_quarantined_records_total', 'Log records that were damaged on the disk and set aside', log.quarantinedRecords),
    gauge('nhip_log_cut_bytes', 'Bytes cut off the end of the log when it was opened', log.cutBytes),
  ];
}

/** For a broker that is a process of its own: what live says of the log otherwise. */
export function logQuotaFamilies(log: LogStats): readonly MetricFamily[] {
  return [
    gauge('nhip_broker_log_bytes', 'Size of the log on the disk, as the broker sees it', log.bytes),
    gauge('nhip_broker_log_full', '1 while the log refuses what edges send because it is full', log.fullSinceMs === null ? 0 : 1),
  ];
}
