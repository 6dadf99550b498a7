import type { Clock } from '@nhip/core/process/env';
import { encodeHostState, hostStateTopic } from '@nhip/core/wire/sparkplug/host-state';
import type { Aedes } from 'aedes';

/**
 * Tells that this server is online as a Sparkplug host application (tck-id-intro-sparkplug-host-state): the broker can say so, because
 * from its log on nothing that an edge sends is lost. The host is no MQTT client here: it lives and dies with its broker, so there is no
 * connection that could break alone, and no will. After a kill the broker is gone with its retained messages; the next start tells a
 * new birth.
 */
export interface HostState {
  /** Before the first client is let in, so that each finds the retained message. */
  online(): Promise<void>;
  /** A goodbye with the current time, delivered to whoever listens. */
  offline(): Promise<void>;
}

export function createHostState(broker: Aedes, hostId: string, clock: Clock): HostState {
  const publish = (isOnline: boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      const packet = {
        cmd: 'publish' as const,
        topic: hostStateTopic(hostId),
        payload: Buffer.from(encodeHostState({ isOnline, timestampMs: clock.now() })),
        qos: 1 as const,
        retain: true,
        dup: false,
      };
      broker.publish(packet, (error) => (error ? reject(error) : resolve()));
    });
  return { online: () => publish(true), offline: () => publish(false) };
}
