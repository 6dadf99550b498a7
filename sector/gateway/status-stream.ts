import type { Env } from '@nhip/core/process/env';

import { activeProduct, waitMs } from '../contract/policy.ts';
import { applyPolicyToStatus } from '../contract/policy-filter.ts';
import type { MachineState, MachineStatus } from '../contract/report.ts';
import type { Adapter } from './adapters/adapter.ts';
import type { GatewayConfig } from './config.ts';
import type { PolicyStore } from './policy-store.ts';
import type { Pseudonyms } from './pseudonym.ts';

/** A machine went into another state. The name of the machine does not leave; nothing of speed, order or product is taken at all. */
export interface MachineChange {
  readonly machine: string;
  readonly state: MachineState;
  /** ms UTC */
  readonly sinceMs: number;
  readonly operationMode?: NonNullable<MachineStatus['operationMode']>;
  readonly itemState?: NonNullable<MachineStatus['itemState']>;
  readonly packmlState?: number;
}

export interface StatusStreamDeps {
  readonly env: Env;
  readonly config: Pick<GatewayConfig, 'enterpriseId' | 'establishmentId' | 'statusStream'>;
  readonly policies: PolicyStore;
  readonly pseudonyms: Pseudonyms;
  readonly recipient: string;
}

/**
 * States of single machines to one recipient: only with the switch in the configuration, a policy that shares
 * `vn.sector.machine-status`, and an agreement whose id goes with every event. Nothing is kept otherwise. What waits is in memory: this
 * is a view of now, the reports are the record.
 */
export interface StatusStream {
  changed(change: MachineChange): void;
  /** Sends what has waited long enough. Rejects like the adapter; nothing is lost then. */
  pass(adapter: Adapter, signal: AbortSignal): Promise<void>;
  /** Forgets what waits when it may not leave any more; called at once after a revocation. */
  check(): void;
  /** Changes that did not fit, or that the filter or the recipient refused. */
  dropped(): number;
}

export const machineStatusContract = 'vn.sector.machine-status';
const leastDelayMs = 60_000;
const maxBatch = 500;

export function createStatusStream({ env, config, policies, pseudonyms, recipient }: StatusStreamDeps): StatusStream {
  const { clock } = env;
  const { enabled, maxEvents, machineClasses } = config.statusStream;
  let waiting: MachineChange[] = [];
  /** A change keeps its name while it is tried again, or it would arrive twice when the month, and with it the key, goes over. */
  const names = new WeakMap<MachineChange, string>();
  let dropped = 0;

  function shared() {
    const version = enabled ? policies.inForce(clock.now()) : undefined;
    if (version === undefined || policies.revocation(recipient, machineStatusContract, version) !== undefined) return undefined;
    const active = activeProduct(version.policy, recipient, machineStatusContract, clock.now());
    if (!active.ok || active.recipient.agreementId === undefined) return undefined;
    const delayMs = Math.max(leastDelayMs, waitMs(active.product.delay ?? 'PT0M'));
    return { policy: version.policy, consentId: active.recipient.agreementId, delayMs };
  }

  async function nameOf(change: MachineChange): Promise<string> {
    const name = names.get(change) ?? (await pseudonyms.of(change.machine));
    names.set(change, name);
    return name;
  }

  async function eventOf(change: MachineChange, consentId: string): Promise<MachineStatus> {
    const { machine, state, sinceMs, operationMode, itemState, packmlState } = change;
    return {
      machineRef: await nameOf(change),
      machineClass: machineClasses[machine] ?? 'other',
      state,
      since: new Date(sinceMs).toISOString(),
      // Hundredths of a second since 1970: grows with every change of a machine, also over a restart.
      seq: Math.floor(sinceMs / 10),
      ...(operationMode === undefined ? {} : { operationMode }),
      ...(itemState === undefined ? {} : { itemState }),
      ...(packmlState === undefined ? {} : { packmlState }),
      consentId,
    };
  }

  const check = (): void => {
    if (shared() === undefined) waiting = [];
  };

  return {
    check,
    dropped: () => dropped,
    changed(change) {
      if (shared() === undefined) return;
      if (waiting.length >= maxEvents) {
        waiting.shift();
        dropped++;
      }
      waiting.push(change);
    },
    async pass(adapter, signal) {
      check();
      for (let rule = shared(); rule !== undefined && adapter.sendEvents !== undefined && !signal.aborted; rule = shared()) {
        const { policy, consentId, delayMs } = rule;
        const due = waiting.filter(({ sinceMs }) => sinceMs + delayMs <= clock.now()).slice(0, maxBatch);
        if (due.length === 0) return;
        const events: unknown[] = [];
        for (const change of due) {
          const result = applyPolicyToStatus(await eventOf(change, consentId), policy, recipient, clock.now());
          if (result.ok) events.push(cloudEvent(result.filtered, config));
        }
        // The answer of people may have come while names were made.
        if (shared() === undefined) continue;
        const batch = Buffer.from(JSON.stringify(events), 'utf8');
        const { refused } = events.length === 0 ? { refused: 0 } : await adapter.sendEvents(batch, signal);
        dropped += due.length - events.length + refused;
        const sent = new Set(due);
        waiting = waiting.filter((change) => !sent.has(change));
      }
      check();
    },
  };
}

function cloudEvent(data: MachineStatus, { enterpriseId, establishmentId }: StatusStreamDeps['config']): object {
  return {
    specversion: '1.0',
    id: `${data.machineRef}-${data.seq}`,
    source: `urn:vn:tax:${enterpriseId}:${establishmentId}`,
    type: 'vn.sector.machine-status.v1',
    time: data.since,
    datacontenttype: 'application/json',
    data,
  };
}
