import type { Look } from './look.ts';

export type IconName = Look | 'off' | 'online' | 'browserOffline' | 'gear' | 'chevron';

/** Paths on a 20 × 20 grid, drawn with a 1.9 stroke; `solid` icons are filled instead. */
export const icons: Readonly<Record<IconName, { readonly d: string; readonly solid?: boolean }>> = {
  running: { d: 'M6 4.5v11l9-5.5z', solid: true },
  reporting: { d: 'M2 11h3l2-5 4 9 2.5-6 1.5 2h3' },
  idle: { d: 'M7 5v10M13 5v10' },
  stopped: { d: 'M5.5 5.500h9v9h-9z', solid: true },
  fault: { d: 'M10 3 18 17H2zM10 8.500v4M10 14.600v.2' },
  setup: { d: 'm4 16 7-7m2-5a4 4 0 0 0-4 5l1 1 1 1a4 4 0 0 0 5-4l-2.5 1.5-2-2z' },
  maintenance: {
    d: 'M10 6.500a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7M10 2.500v2M10 15.500v2M2.5 10h2M15.5 10h2M4.7 4.700l1.4 1.400M13.9 13.900l1.4 1.400M4.7 15.300l1.4-1.400M13.9 6.100l1.4-1.4',
  },
  notScheduled: { d: 'M16.5 12A7 7 0 1 1 8 3.500a5.5 5.5 0 0 0 8.5 8.500z' },
  unknown: { d: 'M7.3 7.300a2.8 2.8 0 1 1 4.2 2.600c-1 .6-1.5 1.1-1.5 2.300M10 15.300v.2' },
  plcUnreachable: { d: 'M1.5 10H6M6 6v8M14 6v8M14 10h4.5M8.7 8.2l2.6 3.6M11.3 8.2l-2.6 3.6' },
  agentOffline: { d: 'M3 11h14v5.5H3zM6 13.8h.1M7.5 3l5 5M12.5 3l-5 5' },
  off: { d: 'M10 3v7M6 5.500a6.5 6.5 0 1 0 8 0' },
  online: { d: 'M4 10.500l4 4 8-9' },
  browserOffline: { d: 'M3 3l14 14M5 9a7 7 0 0 1 3-1.800M12 7.300A7 7 0 0 1 15 9M8 12.500a3 3 0 0 1 4 0M10 15.500v.1' },
  gear: { d: 'M3 6h8M15 6h2M3 14h2M9 14h8M13 4v4M7 12v4' },
  chevron: { d: 'M12 5l-5 5 5 5' },
};
