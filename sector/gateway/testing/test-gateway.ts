import { createPublicKey, type KeyObject } from 'node:crypto';
import type { Disk, Env } from '@nhip/core/process/env';
import { silentLog } from '@nhip/core/process/log';
import { createSimClock, type SimClock } from '@nhip/core/process/simulation/sim-clock';
import { createSimDisk, type SimDisk } from '@nhip/core/process/simulation/sim-disk';
import { createSimRandom } from '@nhip/core/process/simulation/sim-random';
import { generateKey, kidOf, type SigningKey } from '../../contract/keys.ts';
import { type GatewayConfig, gatewayConfig } from '../config.ts';
import type { PlantFigures } from '../figures.ts';
import { createGateway, type Gateway } from '../gateway.ts';
import type { GatewayFiles } from '../gateway-files.ts';

export const enterpriseId = '0999999983';
export const approvers = ['giam-doc', 'phu-trach-du-lieu'] as const;
/** 1 March 2026, 00:00 in Việt Nam. */
export const startMs = Date.parse('2026-03-01T00:00:00+07:00');
export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;

export interface PolicyOptions {
  readonly version?: number;
  readonly url: string;
  readonly adapter?: 'https' | 'file-bundle';
  readonly legalBasis?: 'contract' | 'consent' | 'statutory';
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly hold?: string;
  readonly delay?: string;
  readonly minPeriod?: string;
  readonly enabled?: boolean;
  readonly status?: boolean;
  readonly approvers?: readonly string[];
}

const wholeContent = ['/coverage', '/machines', '/production', '/energy', '/quality', '/lineage'];

/** A sharing policy as YAML (which JSON is). */
export function policyYaml({ version = 1, url, adapter = 'https', ...options }: PolicyOptions): string {
  return JSON.stringify({
    policyId: `urn:policy:${enterpriseId}:nm-01:sector`,
    version,
    owner: { enterpriseId, approvers: options.approvers ?? approvers, approvalsNeeded: 2 },
    validFrom: '2026-01-01T00:00:00+07:00',
    defaults: { effect: 'deny' },
    recipients: [
      {
        id: 'sector-platform',
        endpoint: { adapter, ...(adapter === 'https' ? { url } : {}), jurisdiction: 'VN' },
        legalBasis: options.legalBasis ?? 'contract',
        agreementId: 'urn:agreement:2026-0012',
        purposes: ['sector_statistics'],
        products: [
          {
            contract: 'vn.sector.production-report',
            enabled: options.enabled ?? true,
            minPeriod: options.minPeriod ?? 'PT1H',
            delay: options.delay ?? 'PT0M',
            holdForPreview: options.hold ?? 'PT2H',
            include: options.include ?? wholeContent,
            exclude: options.exclude ?? [],
          },
          { contract: 'vn.sector.machine-status', enabled: options.status ?? false, include: ['/packmlState'] },
        ],
      },
    ],
  });
}

/** One connection, nothing else than the least. */
export const testConfig: GatewayConfig = gatewayConfig.parse({
  enterpriseId,
  establishmentId: 'nm-01',
  provinceCode: '79',
  activityCode: '1410',
  recipients: { 'sector-platform': { platformKeyFile: 'sector.pub' } },
});

export interface TestGateway {
  readonly gateway: Gateway;
  readonly clock: SimClock;
  readonly disk: SimDisk;
  readonly key: SigningKey;
  /** Begins another process on the same disk; the one before hangs. */
  restart(): Promise<void>;
  /** Approves every waiting policy and, with `items`, every held report, by both approvers. */
  approveAll(): Promise<void>;
  setPolicy(yaml: string | undefined): void;
}

/** A gateway on a simulated disk and clock that speaks real HTTP to a platform. */
export function createTestGateway(options: {
  figures(now: () => number): PlantFigures;
  readonly platformKey: KeyObject;
  readonly secret: string;
  readonly seed?: number;
  readonly config?: Partial<Omit<GatewayConfig, 'recipients'>>;
  readonly periods?: GatewayConfig['recipients'][string]['periods'];
  readonly approval?: 'each' | 'standing';
  readonly intervalMs?: number;
  readonly bundle?: Disk;
  readonly clock?: SimClock;
  readonly disk?: SimDisk;
  readonly key?: SigningKey;
}): TestGateway {
  const clock = options.clock ?? createSimClock(startMs);
  const disk = options.disk ?? createSimDisk();
  const random = createSimRandom(options.seed ?? 1);
  const key: SigningKey = options.key ?? { kid: kidOf(enterpriseId, 'k1'), privateKey: generateKey().privateKey };
  let policy: string | undefined;
  const recipient = { platformKeyFile: 'x', clientId: 'c', approval: options.approval ?? 'each', periods: options.periods ?? ['P1D'] };
  const config = gatewayConfig.parse({
    enterpriseId,
    establishmentId: 'nm-01',
    provinceCode: '79',
    activityCode: '1410',
    products: {
      'áo sơ mi': { scheme: 'VCPA2018', code: '1410002' },
      'quần tây': { scheme: 'VCPA2018', code: '1410003' },
    },
    backfillDays: 0,
    settleMinutes: 0,
    ...options.config,
    recipients: { 'sector-platform': recipient },
  });
  const files: GatewayFiles = {
    signingKey: async () => key,
    policyText: async () => policy,
    platformKeys: async () => [
      { publicKey: options.platformKey.type === 'private' ? createPublicKey(options.platformKey) : options.platformKey },
    ],
    secret: async () => options.secret,
    tls: async () => ({}),
    bundle: () => options.bundle ?? createSimDisk().boot(),
  };
  const make = (): Gateway => {
    const env: Env = { clock, random, disk: disk.boot() };
    return createGateway({
      env,
      log: silentLog(),
      figures: options.figures(() => clock.now()),
      config,
      files,
      version: '0.1.0',
      ...(options.intervalMs === undefined ? {} : { intervalMs: options.intervalMs }),
    });
  };
  let gateway = make();
  return {
    get gateway() {
      return gateway;
    },
    clock,
    disk,
    key,
    async restart() {
      // Takes its timers off the clock; its work hangs with the disk of a process that is no more.
      void gateway.stop();
      gateway = make();
      await gateway.start();
    },
    async approveAll() {
      const { desk } = gateway;
      for (const { digest, state } of await desk.policies()) {
        for (const by of state === 'waiting' ? approvers : []) await desk.approvePolicy(digest, by);
      }
      for (const { id, digest, approvals } of (await desk.items({ states: ['held'], limit: 200 })).items) {
        for (const by of approvers.filter((each) => !approvals.some((given) => given.by === each)))
          await desk.approve(id, by, digest ?? '');
      }
    },
    setPolicy(yaml) {
      policy = yaml;
    },
  };
}
