import type { IconName } from '../state/icons.ts';
import type { StationState } from './stations.ts';

interface StateLook {
  readonly tone: string;
  readonly icon: IconName;
}

/** Colour and icon of a state; the word is `path.state.<state>`. `missing` is a verdict on the past. */
export const stateLooks: Readonly<Record<StationState | 'missing', StateLook>> = {
  fine: { tone: 's-run', icon: 'online' },
  waiting: { tone: 's-wait', icon: 'idle' },
  trouble: { tone: 's-down', icon: 'fault' },
  missing: { tone: 's-wait', icon: 'fault' },
  unknown: { tone: 's-off', icon: 'unknown' },
};
