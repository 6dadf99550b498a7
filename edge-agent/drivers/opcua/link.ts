import type { ClientSession, ClientSessionRawSubscriptionService } from 'node-opcua-client';
import type { DriverDeps, Reading } from '../../driver.ts';
import type { OpcuaConfig } from './config.ts';

/** The raw services exist on every session but are declared apart. */
export type Session = ClientSession & ClientSessionRawSubscriptionService;

/** One session, and what its parts need of the driver. */
export interface Link {
  readonly session: Session;
  readonly config: OpcuaConfig;
  readonly deps: DriverDeps;
  /** Aborts at the end of the driver: nothing is emitted after it. */
  readonly over: AbortSignal;
  /** Ends the connection. */
  lose(what: string): void;
  emit(deviceId: string, readings: readonly Reading[]): void;
}
