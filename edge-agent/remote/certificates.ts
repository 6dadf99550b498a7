import type { ApprovalProblem } from '@nhip/core/wire/edge-control';
import type { AgentConfig } from '../config.ts';
import type { Connection } from '../reload/connection-set.ts';
import { type CertificateDesk, type CertificateDeskDeps, createCertificateDesk } from './certificate-desk.ts';

/**
 * The desk of a running agent; undefined while none of its connections meets servers by certificate. `settings` are those that the agent
 * started with; `current` gives the connections that it has now.
 */
export function certificateDeskOf(
  settings: Pick<AgentConfig, 'remote' | 'commands'>,
  current: () => readonly Connection[],
  deps: Pick<CertificateDeskDeps, 'clock' | 'log' | 'stateDir'>,
): () => Promise<CertificateDesk | undefined> {
  let desk: CertificateDesk | undefined;
  return async () => {
    const servers = current().find(({ plugin }) => plugin.servers !== undefined)?.plugin.servers;
    if (servers === undefined) return desk;
    desk ??= createCertificateDesk({
      ...deps,
      trust: await servers.loadTrust(),
      takesDecisions: settings.remote.certificates,
      approvalProblem: () => approvalProblem(settings, current()),
    });
    return desk;
  };
}

/** Both at once is told as the graver one. */
export function approvalProblem({ commands }: Pick<AgentConfig, 'commands'>, connections: readonly Connection[]): ApprovalProblem | null {
  if (commands.enabled) return 'commandsEnabled';
  return connections.some(({ plugin, config }) => plugin.servers?.showsPassword(config) === true) ? 'passwordShown' : null;
}
