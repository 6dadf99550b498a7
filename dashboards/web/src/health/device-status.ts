import type { Connection, MachineState } from '@nhip/core/wire/vocabulary';

/** Where the way from the machine to the server ends. "Off" is a machine that answers and does not work. */
export type DeviceStatus = 'online' | 'off' | 'plcUnreachable' | 'agentOffline';

export function deviceStatus(edgeOnline: boolean, connection: Connection, state: MachineState | null): DeviceStatus {
  if (!edgeOnline || connection === 'agentOffline') return 'agentOffline';
  if (connection === 'plcUnreachable') return 'plcUnreachable';
  return state === 'stopped' || state === 'notScheduled' ? 'off' : 'online';
}
