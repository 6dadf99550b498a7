import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCredentials } from '@nhip/broker/auth/credentials';
import { type Endpoints, edgeConfigs } from '@nhip/simulators/plants/edge-config';
import { hoaLac } from '@nhip/simulators/plants/hoa-lac';
import { plantModel } from '@nhip/simulators/plants/plant-model';
import { stringify } from 'yaml';
import { type DataFolder, makePrivate } from '../folders.ts';

export interface DemoEdge {
  readonly edge: string;
  readonly config: string;
  /** It reads OPC UA, whose simulated server takes seconds to come up. */
  readonly needsOpcUa: boolean;
}

/** Writes the plant model of the simulated plant into the data folder and returns its path. */
export function writePlant(folder: DataFolder): string {
  const file = join(folder.root, 'plant.yaml');
  writeFileSync(file, `# The simulated plant. A plant of your own has the same shape.\n${stringify(plantModel(hoaLac))}`);
  return file;
}

/** Credentials (kept from an earlier start) and a config file for each edge agent of the simulated plant, as seen from the agents. */
export function writeEdges(folder: DataFolder, machines: Endpoints, mqttUrl: string): readonly DemoEdge[] {
  const credentials = openCredentials(folder.credentials);
  const configs = edgeConfigs(hoaLac, machines);
  return configs.map(({ group, edge, connections }) => {
    const dir = folder.edge(edge);
    makePrivate(dir);
    const passwordFile = join(dir, 'mqtt-password');
    const username = `${group}/${edge}`;
    if (!existsSync(passwordFile) || !isValid(username, readFileSync(passwordFile, 'utf8').trim())) {
      writeFileSync(passwordFile, `${credentials.add(username, Date.now()).password}\n`, { mode: 0o600 });
    }
    const config = join(dir, 'edge.yaml');
    const mqtt = { url: mqttUrl, passwordFile: 'mqtt-password' };
    writeFileSync(config, stringify({ group, edge, mqtt, connections }, { aliasDuplicateObjects: false }));
    return { edge, config, needsOpcUa: connections.some(({ driver }) => driver === 'opcua') };
  });

  function isValid(username: string, password: string): boolean {
    return credentials.verify(username, Buffer.from(password)) !== undefined;
  }
}
