import { ConfigError } from '@nhip/core/process/errors';
import { type Command, commonFlags } from '../arguments.ts';
import { dataFolder } from '../folders.ts';
import { goOnAsOwnerOf } from './as-owner.ts';
import { configFile, readConnections } from './edge-config.ts';
import { edgeProgram } from './program.ts';

const source = `${edgeProgram} trust`;

export const trust: Command = {
  name: 'edge trust',
  usage: 'list | add THUMBPRINT | reject THUMBPRINT  --config FILE',
  summary:
    'Certificates of OPC UA servers: which ones are trusted, wait for a decision, or are refused. A server is listed after the agent first tried to connect; compare the SHA-256 with what the server shows, then add it. The agent looks again at its next attempt.',
  flags: { config: commonFlags.config, data: commonFlags.data, json: { summary: 'The answer as JSON' } },
  run: async (input) => {
    const [action, thumbprint] = input.positionals;
    const { config } = readConnections(configFile(input));
    const stateDir = `${dataFolder(input.text('data')).edge(config.edge)}/drivers`;
    goOnAsOwnerOf(stateDir);
    const certificates = await import('@nhip/edge-agent/drivers/opcua/trust');
    const say = (value: unknown, text: string): void => {
      process.stdout.write(input.isSet('json') ? `${JSON.stringify(value)}\n` : `${text}\n`);
    };
    if (action === 'list' || action === undefined) {
      const servers = await certificates.listCertificates(stateDir);
      const own = await certificates.ownCertificate(stateDir);
      const lines = servers.map(certificateText);
      if (servers.length === 0) lines.push('No server was seen yet: run the agent with an opcua connection first.');
      if (own !== undefined) lines.push(`This agent, for the server to trust: ${own.file}\n    SHA-256 ${own.thumbprintSha256}`);
      say({ servers, own: own ?? null }, lines.join('\n'));
      return 0;
    }
    if (action !== 'add' && action !== 'reject') throw new ConfigError(source, [`"${action}" is none of list, add, reject`]);
    if (thumbprint === undefined) throw new ConfigError(source, [`say which: ${edgeProgram} trust ${action} THUMBPRINT; the list has it`]);
    const done = action === 'add' ? await certificates.trust(stateDir, thumbprint) : await certificates.reject(stateDir, thumbprint);
    say(done, certificateText(done));
    return 0;
  },
};

interface Shown {
  readonly state: string;
  readonly subject: string;
  readonly applicationUri: string | null;
  readonly endpoint: string | null;
  readonly thumbprintSha256: string;
  readonly validToMs: number;
}

function certificateText({ state, subject, applicationUri, endpoint, thumbprintSha256, validToMs }: Shown): string {
  const until = new Date(validToMs).toISOString().slice(0, 10);
  return `${state.padEnd(8)} ${applicationUri ?? subject}  (until ${until})${endpoint === null ? '' : `\n    ${endpoint}`}\n    SHA-256 ${thumbprintSha256}`;
}
