import { join } from 'node:path';
import { checkConfig } from '@nhip/core/process/config';
import type { Env } from '@nhip/core/process/env';
import type { Part } from '@nhip/core/process/lifecycle';
import type { Log } from '@nhip/core/process/log';
import { type GatewayConfig, gatewayConfig } from '@nhip/sector/gateway/config';
import type { Desk } from '@nhip/sector/gateway/desk';
import { createGateway, type Gateway } from '@nhip/sector/gateway/gateway';
import { createGatewayFiles } from '@nhip/sector/gateway/gateway-files';
import { makePrivate } from '../../folders.ts';
import type { FactoryIdentity } from './factories.ts';
import { enrolOnce, factoryFiles, keyName } from './factory-enrolment.ts';
import { keepPolicy, recipientId } from './factory-policy.ts';
import { createSimulatedFigures } from './simulated-figures.ts';

export interface SimulatedFactoryOptions {
  /** The factory's own folder; made when it is missing. */
  readonly folder: string;
  /** `https://host`, or `http://` on this computer. */
  readonly sectorUrl: string;
  /** One-time code of the operator; the first start needs it. */
  readonly code: string | undefined;
  /** Closed days before the first start that are reported at once. */
  readonly days: number;
}

export interface SimulatedFactoryDeps {
  /** Its disk is the folder `gateway` of the factory's folder. */
  readonly env: Env;
  readonly log: Log;
  readonly version: string;
}

/** Reports of the factory by what became of them. */
export interface ReportCounts {
  /** Receipts that verify. */
  readonly accepted: number;
  /** On their way: the platform did not answer yet, or somebody holds them. */
  readonly waiting: number;
  readonly refused: number;
}

export interface SimulatedFactory extends Part {
  /** Throws before `start`. */
  readonly desk: Desk;
  counts(): Promise<ReportCounts>;
}

/**
 * A factory that does not exist, with everything that a real one sends with: a signing key, a sharing policy that two (simulated) people
 * approve, the gateway, its outbox. Only its figures are simulated.
 *
 * `start` resolves when the closed days were reported, or wait because the platform does not answer. It throws ConfigError (no code, wrong
 * files), PermanentError (the code was refused) and RetryableError (no platform at the first start).
 */
export function createSimulatedFactory(
  factory: FactoryIdentity,
  { folder, sectorUrl, code, days }: SimulatedFactoryOptions,
  { env, log, version }: SimulatedFactoryDeps,
): SimulatedFactory {
  const stopping = new AbortController();
  let gateway: Gateway | undefined;
  const started = (): Gateway => {
    if (gateway === undefined) throw new Error(`the factory ${factory.id} is not started`);
    return gateway;
  };

  return {
    name: `factory ${factory.id}`,
    async start() {
      makePrivate(folder);
      const url = `${sectorUrl.replace(/\/+$/, '')}/v1`;
      const clientId = await enrolOnce(factory, { folder, url, code, log, nowMs: env.clock.now(), signal: stopping.signal });
      await keepPolicy(join(folder, factoryFiles.policy), factory, url);
      const config = configOf(factory, clientId, days);
      const figures = createSimulatedFigures(factory.definition, factory.seed);
      gateway = createGateway({ env, log, figures, config, files: createGatewayFiles(config, folder), version });
      await gateway.start();
      // Takes the file as a proposal; once it is approved, makes the reports and sends them.
      await gateway.work();
      await approvePolicies(gateway.desk, factory, log);
      await gateway.work();
    },
    async stop() {
      stopping.abort(new Error('the factory is being stopped'));
      await gateway?.stop();
    },
    get desk() {
      return started().desk;
    },
    async counts() {
      const { recipients } = await started().desk.overview();
      const found = recipients.find(({ id }) => id === recipientId)?.counts;
      if (found === undefined) return { accepted: 0, waiting: 0, refused: 0 };
      return {
        accepted: found.accepted + found.duplicate,
        waiting: found.held + found.approved + found.sealed + found.sending,
        refused: found.rejected,
      };
    },
  };
}

async function approvePolicies(desk: Desk, factory: FactoryIdentity, log: Log): Promise<void> {
  // The oldest first: each is judged by the people of the one before.
  const waiting = (await desk.policies()).filter(({ state }) => state === 'waiting').reverse();
  for (const { digest, version, approvers, approvalsNeeded, approvals } of waiting) {
    const missing = approvers.filter((account) => !approvals.some(({ by }) => by === account)).slice(0, approvalsNeeded - approvals.length);
    for (const account of missing) await desk.approvePolicy(digest, account);
    log.info({ factory: factory.id, version, digest, by: missing }, 'The sharing policy was approved by people who are simulated too');
  }
}

function configOf(factory: FactoryIdentity, clientId: string, days: number): GatewayConfig {
  const { enterpriseId, establishmentId, provinceCode, activityCode, products, definition } = factory;
  const recipient = {
    periods: ['P1D'],
    approval: 'standing',
    clientId,
    secretFile: factoryFiles.secret,
    platformKeyFile: factoryFiles.platformKey,
  };
  const config = {
    enterpriseId,
    establishmentId,
    provinceCode,
    activityCode,
    products,
    dayStart: definition.dayStart,
    policyFile: factoryFiles.policy,
    keyName,
    keyFile: factoryFiles.key,
    recipients: { [recipientId]: recipient },
    // Nothing arrives late in a simulation.
    settleMinutes: 0,
    revisableDays: 1,
    // Whole days within it: one less than the days that it touches.
    backfillDays: days === 0 ? 0 : days + 1,
  };
  return checkConfig(gatewayConfig, config, `factory ${factory.id}`);
}
