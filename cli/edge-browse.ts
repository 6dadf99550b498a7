import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkConfig } from '@nhip/core/process/config';
import { ConfigError } from '@nhip/core/process/errors';
import { opcuaConfig } from '@nhip/edge-agent/drivers/opcua/config';

const limits = { maxNodes: 5000, maxDepth: 10 };

/**
 * Lists what an OPC UA server offers, without security, as tags want it: a line each, or one JSON array.
 * Throws ConfigError when the target is no opc.tcp address.
 */
export async function browseOnce(target: string, isJson: boolean): Promise<number> {
  if (!target.startsWith('opc.tcp://')) throw new ConfigError('nhip edge browse', [`"${target}" is not opc.tcp://HOST:PORT`]);
  const devices = [{ id: 'browse', tags: [{ metric: 'unused', node: 'i=2258', dataType: 'DateTime' }] }];
  const connection = { id: 'browse', driver: 'opcua', endpoint: target, securityMode: 'None', devices };
  const config = checkConfig(opcuaConfig, connection, 'nhip edge browse');
  // The library wants a key of its own even without security; this one is thrown away.
  const stateDir = mkdtempSync(join(tmpdir(), 'nhip-browse-'));
  try {
    const { browseServer } = await import('@nhip/edge-agent/drivers/opcua/browse');
    const nodes = await browseServer(config, stateDir, limits);
    if (isJson) process.stdout.write(`${JSON.stringify(nodes)}\n`);
    else {
      for (const { path, node, nodeClass, dataType, value } of nodes) {
        if (nodeClass === 'Variable') process.stdout.write(`${path}\n    ${node}  ${dataType ?? '?'}  ${value ?? '–'}\n`);
      }
      process.stdout.write(`${nodes.length} nodes${nodes.length === limits.maxNodes ? ' (there are more)' : ''}\n`);
    }
    return 0;
  } finally {
    rmSync(stateDir, { recursive: true, force: true });
  }
}
