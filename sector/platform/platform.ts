import { randomUUID } from 'node:crypto';
import type { Clock } from '@nhip/core/process/env';
import type { Log } from '@nhip/core/process/log';
import type { FastifyInstance } from 'fastify';
import { jwkOf, type PublicJwk, type SigningKey } from '../contract/keys.ts';
import { createAuthenticator } from './auth/authenticator.ts';
import { createFailureLimit } from './auth/failure-limit.ts';
import { createShortCache } from './auth/short-cache.ts';
import type { PlatformConfig } from './config.ts';
import type { Database } from './database.ts';
import { createApp } from './http/app.ts';
import type { Route } from './http/route.ts';
import { agreementRoutes } from './http/routes/agreements.ts';
import { codeRoutes } from './http/routes/codes.ts';
import { enrolmentRoutes } from './http/routes/enrolment.ts';
import { intakeRoutes } from './http/routes/intake.ts';
import { logRoutes } from './http/routes/log.ts';
import { operatorRoutes } from './http/routes/operator.ts';
import { pageRoutes } from './http/routes/page.ts';
import { serverRoutes } from './http/routes/server.ts';
import { transparencyRoutes } from './http/routes/transparency.ts';
import { createGroupCommit } from './intake/group-commit.ts';
import { type Answer, createIntake, type Intake } from './intake/intake.ts';
import type { Sender } from './intake/judge.ts';
import { migrate } from './migrations/migrate.ts';
import { createMachineStates } from './status/machine-states.ts';
import { createRetention } from './status/retention.ts';
import { statusRoutes } from './status/routes.ts';
import { createAccessLog } from './store/access-log.ts';
import { createAgreements } from './store/agreements.ts';
import { commitReports } from './store/commit-reports.ts';
import { createCredentials, type TokenHolder } from './store/credentials.ts';
import { createFactoryKeys } from './store/factory-keys.ts';
import { readKnown } from './store/known.ts';
import { keepPlatformKey, platformKeys } from './store/platform-keys.ts';
import { createQuarantine } from './store/quarantine.ts';
import { createReceiptLog } from './store/receipt-log.ts';
import { createReports } from './store/reports.ts';
import { createTenants } from './store/tenants.ts';
import { createCertificateRule } from './tls/certificate-rule.ts';
import type { ServerTls } from './tls/server-tls.ts';

export interface PlatformDeps {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly key: SigningKey;
  readonly operatorToken: string;
  readonly version: string;
  /** Default: plain HTTP. */
  readonly tls?: ServerTls | undefined;
}

/** What the sector server has done since it started. */
export interface PlatformHealth {
  readonly waitingReports: number;
  readonly answers: Readonly<Record<Answer['kind'], number>>;
}

export interface Platform {
  readonly routes: readonly Route[];
  /** The HTTP server; `inject` works without listening. */
  readonly app: FastifyInstance;
  readonly intake: Intake;
  /** Migrates the database, then listens. Resolves with the port. */
  start(): Promise<number>;
  /** Finishes what was received. Idempotent. Leaves the database open. */
  stop(): Promise<void>;
  health(): PlatformHealth;
}

/** How long keys and tokens are remembered: a revocation by another process holds after this. */
const rememberMs = 5000;
const wrongSecrets = { free: 20, windowMs: 60_000 };
const dayMs = 86_400_000;

/** The sector server: intake, store, log and API on one database. */
export function createPlatform(config: PlatformConfig, deps: PlatformDeps): Platform {
  const { database, clock, log, key } = deps;
  const now = (): number => clock.now();
  const platformJwk: PublicJwk = jwkOf(key.kid, key.privateKey);
  const tenants = createTenants(database, now);
  const keys = createFactoryKeys(database, now);
  const credentials = createCredentials(database, now);
  const reports = createReports(database);
  const quarantine = createQuarantine(database, now, config.limits.refusedReports);
  const accessLog = createAccessLog(database, now);
  const receiptLog = createReceiptLog(database, key, now);
  const { keepDays, maxPerDay } = config.machineStatus;
  const states = createMachineStates(database, { keepMs: keepDays * dayMs, maxPerDay, now });
  const retention = createRetention(states, { clock, log });
  const agreements = createAgreements(database, now);
  const senders = createShortCache<Sender>(rememberMs);
  const tokens = createShortCache<TokenHolder | undefined>(rememberMs);
  const changed = (): void => {
    senders.clear();
    tokens.clear();
  };
  const answers = { accepted: 0, repeated: 0, tooLarge: 0, foreign: 0, refused: 0, conflict: 0 } satisfies Record<Answer['kind'], number>;

  const groups = createGroupCommit((group) => commitReports(group, { database, key, now, receiptId: randomUUID }), clock, {
    lingerMs: config.groupCommit.lingerMs,
    maxGroup: config.groupCommit.maxReports,
    maxWaiting: config.limits.waitingReports,
  });
  const intake = createIntake({
    tenants,
    keys,
    agreements,
    senders,
    quarantine,
    reports,
    groups,
    known: (candidate) => readKnown(database, [candidate]),
    maxReportBytes: config.limits.reportBytes,
    now,
    answered: (kind) => {
      answers[kind] += 1;
    },
  });
  const isReady = async (): Promise<boolean> => {
    try {
      await database.query('SELECT size FROM log_head');
      return true;
    } catch {
      return false;
    }
  };
  const certificates = createCertificateRule(deps.tls?.mode ?? 'off');
  const failures = createFailureLimit(wrongSecrets);
  const routes = [
    ...intakeRoutes(intake),
    ...transparencyRoutes({ reports, quarantine, accessLog, states }),
    ...statusRoutes({ states, tenants, agreements, accessLog, now }),
    ...agreementRoutes({ agreements, tenants, accessLog, changed }),
    ...codeRoutes(),
    ...logRoutes(receiptLog, () => platformKeys(database)),
    ...enrolmentRoutes({ database, keys, credentials, failures, platformJwk, certificates, now, changed }),
    ...operatorRoutes({ database, tenants, keys, credentials, now, changed }),
    ...pageRoutes({ tenants, agreements, reports, quarantine, accessLog, credentials, states, certificates, failures, now }),
    ...serverRoutes(isReady),
  ];
  const app = createApp({
    log,
    routes,
    authenticator: createAuthenticator({ credentials, tokens, certificates, operatorToken: deps.operatorToken, now }),
    certificates,
    tls: deps.tls?.options,
    version: deps.version,
    maxBodyBytes: config.limits.bodyBytes,
  });
  let stopping: Promise<void> | undefined;

  return {
    routes,
    app,
    intake,
    async start() {
      const applied = await migrate(database);
      if (applied > 0) log.info({ migrations: applied }, 'The database was migrated');
      await keepPlatformKey(database, platformJwk, now());
      await app.listen({ host: config.host, port: config.port });
      retention.start();
      const address = app.server.address();
      return typeof address === 'object' && address !== null ? address.port : config.port;
    },
    stop() {
      stopping ??= app.close().then(async () => {
        await retention.stop();
        await groups.stop();
      });
      return stopping;
    },
    health: () => ({ waitingReports: groups.waiting(), answers: { ...answers } }),
  };
}
