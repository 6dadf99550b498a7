import type { Aedes, AedesPublishPacket, Client } from 'aedes';

type Publish = (packet: AedesPublishPacket, ...rest: readonly unknown[]) => void;

/**
 * Ends the way of a client's message at the log. Nobody may subscribe to what clients publish (acl.ts): retained store,
 * subscription match and emitter would find no one, at a quarter of the broker's time. What the server itself
 * publishes (commands) goes on to its subscribers.
 */
export function leaveOutFanOut(broker: Aedes): void {
  const publish = broker.publish.bind(broker) as Publish;
  const publishUnlessTelemetry: Publish = (packet, ...rest) => {
    const [client, done] = rest as readonly [Client | null | undefined, ((error?: Error) => void) | undefined];
    if (typeof client === 'object' && client !== null && typeof done === 'function') done();
    else publish(packet, ...rest);
  };
  broker.publish = publishUnlessTelemetry as Aedes['publish'];
}
