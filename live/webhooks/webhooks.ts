import type { Clock } from '@nhip/core/process/env';
import type { Log } from '@nhip/core/process/log';
import type { LiveFrame } from '@nhip/core/wire/live';
import type { MetricFamily } from '../http/prometheus.ts';
import type { LiveHub } from '../hub.ts';
import type { WebhookConfig } from './config.ts';
import { createEventSource, type HookEvent } from './events.ts';
import { readSigningKey } from './sign.ts';
import { createTarget, type RetryPolicy, type Target } from './target.ts';

/** Tells programs elsewhere what happens to machines, by signed POST (Standard Webhooks 1.0). */
export interface Webhooks {
  /** Called once per tick; never waits. */
  tick(frame: LiveFrame | null): void;
  families(): readonly MetricFamily[];
  stop(): Promise<void>;
}

export interface WebhooksDeps {
  /** Filled from the history: what it shows now is told to nobody. */
  readonly hub: LiveHub;
  readonly clock: Clock;
  readonly log: Log;
  readonly policy?: RetryPolicy;
}

/** Throws ConfigError for a secret file that cannot be used. */
export function createWebhooks(configs: readonly WebhookConfig[], { hub, ...deps }: WebhooksDeps): Webhooks {
  const hooks = configs.map((config) => {
    const key = readSigningKey(config.name, config.secretFile);
    return { config, target: createTarget(config, { ...deps, key, random: Math.random }) };
  });
  const source = createEventSource(hub);
  return {
    tick(frame) {
      if (hooks.length === 0) return;
      for (const event of source.read(frame)) {
        for (const { config, target } of hooks) if (isWanted(config, event)) target.enqueue(event);
      }
    },
    families: () => webhookFamilies(hooks.map(({ target }) => target)),
    async stop() {
      await Promise.all(hooks.map(({ target }) => target.stop()));
    },
  };
}

export function isWanted({ events, machines }: Pick<WebhookConfig, 'events' | 'machines'>, { type, machine }: HookEvent): boolean {
  if (!events.includes(type)) return false;
  return machines.length === 0 || machines.some((wanted) => (wanted.endsWith('/') ? machine.startsWith(wanted) : machine === wanted));
}

/** By the names in the configuration. */
export function webhookFamilies(targets: readonly Pick<Target, 'name' | 'stats'>[]): readonly MetricFamily[] {
  if (targets.length === 0) return [];
  const all = targets.map((target) => ({ webhook: target.name, stats: target.stats() }));
  const outcomes = ['delivered', 'givenUp', 'dropped'] as const;
  return [
    {
      name: 'live_webhook_events_total',
      help: 'Events by what became of them: delivered, given up after the last attempt, dropped from a full queue',
      type: 'counter',
      samples: all.flatMap(({ webhook, stats }) => outcomes.map((outcome) => ({ labels: { webhook, outcome }, value: stats[outcome] }))),
    },
    {
      name: 'live_webhook_failed_attempts_total',
      help: 'Attempts that the receiver did not answer with 2xx',
      type: 'counter',
      samples: all.map(({ webhook, stats }) => ({ labels: { webhook }, value: stats.failedAttempts })),
    },
    {
      name: 'live_webhook_waiting_events',
      help: 'Events that wait to be sent',
      type: 'gauge',
      samples: all.map(({ webhook, stats }) => ({ labels: { webhook }, value: stats.waiting })),
    },
    {
      name: 'live_webhook_up',
      help: '0 while the last attempt failed',
      type: 'gauge',
      samples: all.map(({ webhook, stats }) => ({ labels: { webhook }, value: stats.isFailing ? 0 : 1 })),
    },
  ];
}
