import { parseTopic } from '@nhip/core/wire/topic';
import { WireError } from '@nhip/core/wire/wire-error';

/**
 * What an identity `<group>/<edge>` may do: publish its own telemetry, hear its own commands and hosts' STATE.
 * Deny by default. Returns the reason of a refusal, `undefined` when allowed.
 */
export function refusePublish(username: string, topic: string): string | undefined {
  try {
    const parsed = parseTopic(topic);
    if (`${parsed.group}/${parsed.edge}` !== username) return `${username} may not publish for ${parsed.group}/${parsed.edge}`;
    if (parsed.lane === 'sparkplug' && parsed.type.endsWith('CMD')) return 'commands come from the server only';
    return undefined;
  } catch (error) {
    if (error instanceof WireError) return error.message;
    throw error;
  }
}

/** Own NCMD and DCMD, and STATE of any host. No wildcard above the own node, no shared subscriptions (Aedes grants but never serves them). */
export function refuseSubscribe(username: string, filter: string): string | undefined {
  const levels = filter.split('/');
  const [group = '', edge = ''] = username.split('/');
  if (levels[0] === '$share') return 'shared subscriptions are not supported';
  if (levels[0] === 'spBv1.0' && levels[1] === 'STATE' && levels.length === 3 && levels[2] !== '#') return undefined;
  const isOwn = levels[0] === 'spBv1.0' && levels[1] === group && levels[3] === edge;
  if (isOwn && levels[2] === 'NCMD' && levels.length === 4) return undefined;
  if (isOwn && levels[2] === 'DCMD' && (levels.length === 4 || levels.length === 5)) return undefined;
  return `${username} may subscribe to its own commands only`;
}
