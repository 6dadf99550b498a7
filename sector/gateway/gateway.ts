import { createPublicKey } from 'node:crypto';
import type { Env } from '@nhip/core/process/env';
import { FatalError, reasonOf } from '@nhip/core/process/errors';
import type { Log } from '@nhip/core/process/log';
import type { SigningKey } from '../contract/keys.ts';
import { openAfterRestore, restoredWords } from './after-restore.ts';
import { createAlarms } from './alarms.ts';
import type { PlantIdentity } from './build-report.ts';
import type { GatewayConfig } from './config.ts';
import type { Desk } from './desk.ts';
import { DeskError } from './desk-error.ts';
import { createDesk } from './desk-service.ts';
import type { PlantFigures } from './figures.ts';
import type { GatewayFiles } from './gateway-files.ts';
import { createLanes, type Lanes } from './lanes.ts';
import { createLoop, type Loop } from './loop.ts';
import type { OutboxItem } from './outbox/item.ts';
import { type Outbox, openOutbox } from './outbox/outbox.ts';
import { createPolicyStore, type PolicyStore } from './policy-store.ts';
import { createPseudonyms } from './pseudonym.ts';
import { createReportLine } from './report-line.ts';
import { createReporter } from './reporter.ts';
import { endWhatMayNotLeave, remakeForPolicy, sealDue } from './sealing.ts';
import { createStatusStream, type MachineChange, type StatusStream } from './status-stream.ts';

export interface GatewayDeps {
  /** Its disk is the data folder of the gateway alone. */
  readonly env: Env;
  readonly log: Log;
  readonly figures: PlantFigures;
  readonly config: GatewayConfig;
  readonly files: GatewayFiles;
  /** Of the software, for the lineage of reports. */
  readonly version: string;
  /** How often it looks whether there is something to do; default 15 s. */
  readonly intervalMs?: number;
}

export interface Gateway {
  /** Opens the data folder and begins to work. Idempotent. Throws ConfigError for the signing key, FatalError for a damaged journal. */
  start(): Promise<void>;
  /** Ends what is under way, which goes on after the next start. Idempotent. */
  stop(): Promise<void>;
  /** Does everything that can be done now; for tests and for one run by hand. */
  work(): Promise<void>;
  /** For pages and tools. Throws before `start`. */
  readonly desk: Desk;
  /** Takes a change of a machine's state; without a policy that shares it, it is forgotten at once. */
  machineChanged(change: MachineChange): void;
}

const defaultIntervalMs = 15_000;
const dayMs = 86_400_000;

interface Running {
  readonly outbox: Outbox;
  readonly lanes: Lanes;
  readonly main: Loop;
  readonly desk: Desk;
  readonly streams: ReadonlyMap<string, StatusStream>;
}

/** The factory side of sharing: from the figures of the plant to a verified receipt. Without an approved policy nothing leaves. */
export function createGateway(deps: GatewayDeps): Gateway {
  let running: Running | undefined;
  let starting: Promise<Running> | undefined;
  return {
    async start() {
      starting ??= open(deps);
      try {
        running = await starting;
      } catch (error) {
        starting = undefined;
        throw error;
      }
    },
    async stop() {
      const current = await starting?.catch(() => undefined);
      starting = undefined;
      running = undefined;
      await Promise.all([current?.main.stop(), current?.lanes.close()]);
      await current?.outbox.close();
    },
    async work() {
      await running?.main.run();
      await running?.lanes.run();
    },
    get desk() {
      if (running === undefined) throw new Error('the gateway is not started');
      return running.desk;
    },
    machineChanged(change) {
      for (const stream of running?.streams.values() ?? []) stream.changed(change);
    },
  };
}

async function open({ env, log, figures, config, files, version, intervalMs = defaultIntervalMs }: GatewayDeps): Promise<Running> {
  const key = await files.signingKey();
  const outbox = await openOutbox(env, 'outbox');
  const now = (): number => env.clock.now();
  const alarms = createAlarms(log, now);
  const policies = createPolicyStore(outbox, config.enterpriseId);
  const finalAfterMs = config.finalAfterDays * dayMs;
  const plant = plantOf(config, version);
  const line = createReportLine({ env, outbox, key, figures, policies, plant, dayStart: config.dayStart, finalAfterMs });
  const streams = statusStreams(env, config, policies);
  const afterRestore = await openAfterRestore(env.disk, 'outbox', outbox, policies);
  const isPaused = (): boolean => afterRestore.isPaused();
  const mayLeave = (item: OutboxItem): boolean => {
    if (isPaused()) return false;
    const holding = line.versionFor(item.recipient);
    return holding !== undefined && (item.state === 'sending' || holding.digest === item.policyDigest);
  };
  const ownKey = publicKeyOf(key);
  const lanes = createLanes({ env, log, outbox, config, files, alarms, statusStreams: streams, mayLeave, isPaused, ownKey, intervalMs });
  const reporter = createReporter({ outbox, line, config, alarms, log, now });
  const sealing = { outbox, policies, line, config, publicKey: ownKey, log, now };
  const readPolicy = policyReader(files, policies, alarms, now);
  let prunedMs = 0;

  const main = createLoop(env.clock, intervalMs, async (signal) => {
    const steps = [
      readPolicy,
      () => endWhatMayNotLeave(sealing),
      () => lanes.arrange(policies.inForce(now())?.policy),
      () => remakeForPolicy(sealing),
      () => reporter.pass(signal),
      async () => {
        if (isPaused()) return alarms.raise('restored', restoredWords);
        alarms.clear('restored');
        if ((await sealDue(sealing)) > 0) lanes.kick();
      },
      async () => {
        if (now() < prunedMs + dayMs) return;
        prunedMs = now();
        // What may still get a revision must be known: it would begin again at revision 1.
        await outbox.prune(now() - (Math.max(config.keepDays, config.revisableDays) + 1) * dayMs);
      },
    ];
    // A step that fails must not keep the others from their work: what holds and what is revoked counts all the same.
    let problem: unknown;
    for (const step of steps) {
      if (signal.aborted) return undefined;
      await step().catch((error: unknown) => {
        problem = error;
      });
    }
    if (problem === undefined) alarms.clear('outbox_disk');
    else reportProblem(problem);
    return undefined;
  });

  function reportProblem(error: unknown): void {
    const words = reasonOf(error);
    if (error instanceof FatalError || !isRaised()) log.error({ err: error }, 'Work on reports failed: it is tried again');
    alarms.raise('outbox_disk', { vi: `Không xử lý được báo cáo: ${words}`, en: `Reports cannot be worked on: ${words}` });
  }
  const isRaised = (): boolean => alarms.list().some(({ code }) => code === 'outbox_disk');

  const endAtOnce = (): Promise<void> => endWhatMayNotLeave(sealing);
  const kick = (): void => main.kick();
  const desk = createDesk({ config, key, outbox, policies, line, lanes, alarms, statusStreams: streams, now, endAtOnce, kick });
  return { outbox, lanes, main, desk, streams };
}

function plantOf(config: GatewayConfig, version: string): PlantIdentity {
  const { enterpriseId, establishmentId, provinceCode, provinceScheme, communeCode, activityScheme, activityCode } = config;
  const commune = communeCode === undefined ? {} : { communeCode };
  return {
    reporter: { enterpriseId, establishmentId, provinceCode, provinceScheme, ...commune },
    activity: { scheme: activityScheme, code: activityCode },
    products: new Map(Object.entries(config.products)),
    agent: `nhip/${version}`,
  };
}

function statusStreams(env: Env, config: GatewayConfig, policies: PolicyStore): ReadonlyMap<string, StatusStream> {
  const pseudonyms = createPseudonyms(env, 'keys');
  const ids = config.statusStream.enabled ? Object.keys(config.recipients) : [];
  return new Map(ids.map((recipient) => [recipient, createStatusStream({ env, config, policies, pseudonyms, recipient })]));
}

/** Takes a changed policy file as a proposal. It changes nothing by itself: people approve it like any other. */
function policyReader(files: GatewayFiles, policies: PolicyStore, alarms: ReturnType<typeof createAlarms>, now: () => number) {
  let seen: string | undefined;
  return async (): Promise<void> => {
    try {
      const text = await files.policyText();
      if (text === undefined && policies.versions().length === 0) {
        alarms.raise('policy_missing', {
          vi: 'Chưa có chính sách chia sẻ: không gửi gì',
          en: 'There is no sharing policy: nothing leaves',
        });
      } else {
        alarms.clear('policy_missing');
      }
      if (text !== undefined && text !== seen) await policies.propose(text, 'policy-file', now());
      seen = text;
      alarms.clear('policy_file');
    } catch (error) {
      const words = error instanceof DeskError ? error.text : { vi: reasonOf(error), en: reasonOf(error) };
      alarms.raise('policy_file', words);
    }
  };
}

function publicKeyOf({ privateKey }: SigningKey) {
  return createPublicKey(privateKey);
}
