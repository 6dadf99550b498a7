/**
 * What servers really take, where it is less than what they say of themselves. The sizes of requests, the numbers of items and the
 * missing filter of the S7-1200 are those of the server profiles of benthos-umh (server_profiles.go), not measured here. The numbers
 * of subscriptions are our own caution: a server with room for fewer says so, and scan classes are put together then.
 */
export interface ServerProfile {
  /** Items in one CreateMonitoredItems, nodes in one Read, TranslateBrowsePaths or HistoryRead; the server's own limit may be lower. */
  readonly nodesPerCall: number;
  /**
   * Whether a DataChangeFilter with a deadband is worth a try: only with servers that are taken to compare with the value that they sent
   * last. One that compares with the sample before (opcua-asyncio 2.0.1 does) never reports a value that drifts slowly.
   */
  readonly triesDeadband: boolean;
  /** Subscriptions of one session; scan classes beyond are put together. */
  readonly maxSubscriptions: number;
}

export const serverProfiles = {
  /** A server that nobody has described: the size that the slowest of the others take; its changes are all taken, and thinned out here. */
  generic: { nodesPerCall: 100, triesDeadband: false, maxSubscriptions: 20 },
  /** Says 1,000 a call, and is fifty times slower above 200. Knows no DataChangeFilter. 1,000 items in all. */
  's7-1200': { nodesPerCall: 100, triesDeadband: false, maxSubscriptions: 5 },
  /** 10,000 items in all. */
  's7-1500': { nodesPerCall: 500, triesDeadband: true, maxSubscriptions: 20 },
  kepware: { nodesPerCall: 1_000, triesDeadband: true, maxSubscriptions: 20 },
  /** Allows 64 operations of a session at a time. */
  ignition: { nodesPerCall: 100, triesDeadband: true, maxSubscriptions: 20 },
} as const satisfies Readonly<Record<string, ServerProfile>>;

export type ServerProfileName = keyof typeof serverProfiles;
export const serverProfileNames = Object.keys(serverProfiles) as [ServerProfileName, ...ServerProfileName[]];
