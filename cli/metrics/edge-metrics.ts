import type { AgentHealth } from '@nhip/edge-agent/agent';
import type { MetricFamily } from '@nhip/live/http/prometheus';
import { counter, gauge } from './families.ts';

type Connection = AgentHealth['connections'][number];

const clockStates = ['synced', 'holdover', 'unsynced'] as const satisfies readonly AgentHealth['clock']['state'][];
const connectionStates = ['stopped', 'connecting', 'connected', 'waiting'] as const satisfies readonly Connection['state'][];
const deviceStates = ['waiting', 'online', 'offline'] as const satisfies readonly Connection['devices'][number]['state'][];

/**
 * What an edge agent says of itself where it runs. Labels are ids of its own configuration; counts since the agent, and of a connection
 * since it, started.
 */
export function edgeFamilies(health: AgentHealth, rssBytes: number): readonly MetricFamily[] {
  return [
    gauge('nhip_agent_online', '1 while the session with the broker is open', health.session.isOnline ? 1 : 0),
    counter('nhip_agent_sessions_total', 'Sessions that were opened', health.session.connects),
    counter('nhip_agent_rebirths_total', 'Births that were published again', health.session.rebirths),
    counter('nhip_agent_recorded_samples_total', 'Samples taken into the outbox', health.recorded),
    counter('nhip_agent_published_samples_total', 'Samples that the broker acknowledged', health.published),
    counter('nhip_agent_lost_samples_total', 'Samples lost and counted', health.lost),
    gauge('nhip_agent_outbox_records', 'Records that wait in the outbox for their acknowledgement', health.pendingRecords),
    gauge('nhip_agent_inflight_messages', 'Messages sent and not yet acknowledged', health.inFlight),
    gauge('nhip_agent_pending_loss_reports', 'Losses that no server has acknowledged yet', health.pendingLosses),
    gauge('nhip_agent_held_records', 'Records that wait until the time is known', health.heldRecords),
    ...outboxFamilies(health.outbox),
    {
      name: 'nhip_agent_clock_state',
      help: '1 for the state of the clock: synced, holdover (known from before), unsynced',
      type: 'gauge',
      samples: clockStates.map((state) => ({ labels: { state }, value: health.clock.state === state ? 1 : 0 })),
    },
    counter('nhip_agent_clock_steps_total', 'Steps of the clock of more than 500 ms', health.clock.steps),
    gauge('nhip_agent_resident_bytes', 'Memory of the process', rssBytes),
    ...connectionFamilies(health.connections),
  ];
}

function outboxFamilies(outbox: AgentHealth['outbox']): readonly MetricFamily[] {
  if (outbox === undefined) return [];
  return [
    gauge('nhip_agent_outbox_bytes', 'Size of the outbox on the disk, with what is kept to be sent again', outbox.bytes),
    gauge('nhip_agent_outbox_quota_bytes', 'How large it may become', outbox.quotaBytes),
    gauge('nhip_agent_outbox_full', '1 while nothing more fits', outbox.fullSinceMs === null ? 0 : 1),
    counter('nhip_agent_outbox_evicted_records_total', 'Records given up because of the quota', outbox.evictedRecords),
    counter('nhip_agent_outbox_quarantined_records_total', 'Records that were damaged on the disk', outbox.quarantinedRecords),
    counter('nhip_agent_outbox_syncs_total', 'Syncs to the disk', outbox.syncs),
  ];
}

function connectionFamilies(connections: readonly Connection[]): readonly MetricFamily[] {
  const each = (name: string, type: MetricFamily['type'], help: string, value: (connection: Connection) => number): MetricFamily => ({
    name: `nhip_agent_connection_${name}`,
    help,
    type,
    samples: connections.map((connection) => ({ labels: labelsOf(connection), value: value(connection) })),
  });
  return [
    {
      name: 'nhip_agent_connection_state',
      help: '1 for the state that the connection is in: stopped, connecting, connected, waiting',
      type: 'gauge',
      samples: connections.flatMap((connection) =>
        connectionStates.map((state) => ({ labels: { ...labelsOf(connection), state }, value: connection.state === state ? 1 : 0 })),
      ),
    },
    {
      name: 'nhip_agent_devices',
      help: 'Devices of the connection, by state: waiting (not asked yet), online, offline',
      type: 'gauge',
      samples: connections.flatMap((connection) =>
        deviceStates.map((state) => ({
          labels: { ...labelsOf(connection), state },
          value: connection.devices.filter((device) => device.state === state).length,
        })),
      ),
    },
    each('polls_total', 'counter', 'Reads of a device', ({ counters }) => counters.polls),
    each('failures_total', 'counter', 'Reads that a device did not answer', ({ counters }) => counters.failures),
    each('overruns_total', 'counter', 'Reads that were skipped because an earlier one took too long', ({ counters }) => counters.overruns),
    each('reconnects_total', 'counter', 'Connections that were made after the first one', ({ counters }) => counters.reconnects),
    each('samples_total', 'counter', 'Readings that were reported', ({ counters }) => counters.samples),
    {
      name: 'nhip_agent_connection_cycle_ms',
      help: 'Reading every device of a polled connection once, the last time',
      type: 'gauge',
      samples: connections.flatMap((connection) =>
        connection.cycleMs === null ? [] : [{ labels: labelsOf(connection), value: connection.cycleMs.last }],
      ),
    },
  ];
}

const labelsOf = ({ id, driver }: Connection): Readonly<Record<string, string>> => ({ connection: id, driver });
