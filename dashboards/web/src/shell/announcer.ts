import { type Look, toneOf } from '../state/look.ts';

export interface Change {
  readonly machine: string;
  readonly look: Look;
}

/**
 * Collects state changes for the one live region of the page, which speaks at most every few seconds. Only a change into or out of trouble is
 * worth a listener's time; the newest one is spoken, with the number of machines that changed since the last time.
 */
export function createAnnouncer(): { see(id: string, name: string, look: Look): void; take(): { count: number; last: Change } | null } {
  const known = new Map<string, Look>();
  const waiting = new Map<string, Change>();
  return {
    see(id, name, look) {
      const before = known.get(id);
      known.set(id, look);
      if (before === undefined || before === look) return;
      if (isTrouble(before) || isTrouble(look)) {
        waiting.delete(id);
        waiting.set(id, { machine: name, look });
      }
    },
    take() {
      const last = [...waiting.values()].at(-1);
      if (last === undefined) return null;
      const count = waiting.size;
      waiting.clear();
      return { count, last };
    },
  };
}

function isTrouble(look: Look): boolean {
  return toneOf[look] === 'down' || look === 'plcUnreachable' || look === 'agentOffline';
}
