import type { Oddity } from '../factory/devices.ts';
import type { Misbehaviour } from '../factory/publishers.ts';
import type { WriteFault } from '../world/database.ts';
import type { CutKind } from '../world/network.ts';

/**
 * One thing that goes wrong. A scenario is a list of these, so that a shrinker can leave some out; each says all about itself.
 * `edge` is the number of the edge it hits. Times are ms of the simulation.
 */
export type Fault = { readonly atMs: number } & FaultBody;

export type FaultBody =
  | { readonly do: 'endEdge'; readonly edge: number; readonly how: 'kill' | 'power' | 'stop'; readonly downMs: number }
  | {
      readonly do: 'endEdgeAtOperation';
      readonly edge: number;
      readonly how: 'kill' | 'power';
      readonly operations: number;
      readonly downMs: number;
    }
  | {
      readonly do: 'changeConfig';
      readonly edge: number;
      readonly change: 'rename' | 'remove' | 'retype';
      readonly how: 'kill' | 'stop';
      readonly downMs: number;
    }
  /** Again and again during the operation of that number. */
  | { readonly do: 'edgeCrashLoop'; readonly edge: number; readonly how: 'kill' | 'power'; readonly operations: readonly number[] }
  | { readonly do: 'serverCrashLoop'; readonly how: 'kill' | 'power'; readonly operations: readonly number[] }
  | { readonly do: 'fillEdgeDisk'; readonly edge: number; readonly roomBytes: number; readonly forMs: number }
  | { readonly do: 'failEdgeSync'; readonly edge: number }
  | { readonly do: 'rotEdgeDisk'; readonly edge: number; readonly salt: number }
  | { readonly do: 'loseOutbox'; readonly edge: number; readonly downMs: number }
  | { readonly do: 'jumpEdgeClock'; readonly edge: number; readonly byMs: number; readonly forMs: number }
  | { readonly do: 'oddReading'; readonly edge: number; readonly odd: Oddity }
  | { readonly do: 'cut'; readonly edge: number; readonly how: CutKind }
  | { readonly do: 'silence'; readonly edge: number; readonly forMs: number }
  | { readonly do: 'slowLine'; readonly edge: number; readonly latencyMs: number; readonly forMs: number }
  | { readonly do: 'losePuback'; readonly edge: number }
  | { readonly do: 'endServer'; readonly how: 'kill' | 'power' | 'stop'; readonly downMs: number }
  | { readonly do: 'endServerAtOperation'; readonly how: 'kill' | 'power'; readonly operations: number; readonly downMs: number }
  | { readonly do: 'fillServerDisk'; readonly roomBytes: number; readonly forMs: number }
  | { readonly do: 'failServerSync' }
  | { readonly do: 'rotServerDisk'; readonly salt: number }
  | { readonly do: 'loseServerLog'; readonly downMs: number }
  /** Some are never corrected: `forMs` is `forEver`. */
  | { readonly do: 'jumpServerClock'; readonly byMs: number; readonly forMs: number }
  | { readonly do: 'storeAnswers'; readonly answers: readonly WriteFault[] }
  | { readonly do: 'storeDown'; readonly forMs: number }
  | { readonly do: 'storeSlow'; readonly writeMs: number; readonly forMs: number }
  | { readonly do: 'storeRefuses'; readonly everyNth: number; readonly forMs: number }
  | { readonly do: 'restoreBackup'; readonly takenAtMs: number; readonly downMs: number }
  | { readonly do: 'misbehave'; readonly publisher: number; readonly how: Misbehaviour };

export const forEver = -1;

export type FaultName = FaultBody['do'];
