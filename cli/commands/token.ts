import { ConfigError, PermanentError } from '@nhip/core/process/errors';
import { createNodeClock } from '@nhip/core/process/node-clock';
import { isScope, type Scope, scopes, scopeWords } from '@nhip/live/auth/scope';
import { addToken, type ListedToken, listTokens, removeToken } from '@nhip/live/auth/token-file';
import { type Command, commonFlags, type Input } from '../arguments.ts';
import { apiFolder, dataFolder, makePrivate } from '../folders.ts';

const dayMs = 86_400_000;
const defaultExpiryMs = 365 * dayMs;

export const token: Command = {
  name: 'token',
  usage: 'add NAME | list | remove NAME',
  summary:
    'API tokens of programs (Grafana, Prometheus, scripts): sent as "Authorization: Bearer …". A token is shown once. Works while the server runs.',
  flags: {
    data: commonFlags.data,
    scope: { summary: `add: ${scopes.join(', ')}; each includes those before it (default read)`, value: 'SCOPE' },
    expires: { summary: 'add: 12h, 90d, a date like 2027-01-31, or never (default 365d)', value: 'TIME' },
    of: { summary: 'server, or live where the roles run apart (default: whichever was started on the data folder)', value: 'ROLE' },
    json: { summary: 'Answer as JSON' },
  },
  async run(input) {
    const [action, name = ''] = input.positionals;
    const nowMs = createNodeClock().now();
    const folder = apiFolder(input.text('of'), dataFolder(input.text('data')));
    const say = (value: unknown, text: string): void => {
      process.stdout.write(input.isSet('json') ? `${JSON.stringify(value)}\n` : `${text}\n`);
    };
    switch (action) {
      case 'add': {
        const wanted = { name, scope: readScope(input), expiresMs: readExpiry(input.text('expires'), nowMs) };
        makePrivate(folder);
        const made = await add(folder, wanted, nowMs);
        const expires = wanted.expiresMs === null ? null : new Date(wanted.expiresMs).toISOString();
        say(
          { ...{ name, scope: wanted.scope }, expires, token: made },
          `token    ${made}\nscope    ${wanted.scope}: ${scopeWords[wanted.scope]}\nexpires  ${expires ?? 'never'}\n\nShown once: put it into the program now.`,
        );
        return 0;
      }
      case 'list': {
        const list = await listTokens(folder);
        say(list.map(tokenJson), list.map((each) => tokenLine(each, nowMs)).join('\n') || 'No tokens yet: nhip token add NAME');
        return 0;
      }
      case 'remove': {
        const existed = await removeToken(folder, name);
        say({ removed: existed }, existed ? `${name} removed; it is refused from now on` : `There is no token ${name}`);
        return existed ? 0 : 1;
      }
      default:
        throw new ConfigError('nhip token', ['say add, list or remove; nhip token --help']);
    }
  },
};

async function add(folder: string, wanted: Parameters<typeof addToken>[1], nowMs: number): Promise<string> {
  try {
    return await addToken(folder, wanted, nowMs);
  } catch (error) {
    if (error instanceof PermanentError && error.code === 'token.name') throw new ConfigError('nhip token add', [error.message]);
    throw error;
  }
}

function readScope(input: Input): Scope {
  const text = input.text('scope') ?? 'read';
  if (isScope(text)) return text;
  throw new ConfigError('--scope', [`"${text}" is none of ${scopes.join(', ')}`]);
}

/** End of a token's life, ms UTC; null: none. Throws ConfigError when it is no time, or over already. */
export function readExpiry(text: string | undefined, nowMs: number): number | null {
  if (text === undefined) return nowMs + defaultExpiryMs;
  if (text === 'never') return null;
  const length = /^(\d{1,5})([hd])$/.exec(text);
  const atMs = length === null ? dateMs(text) : nowMs + Number(length[1]) * (length[2] === 'h' ? 3_600_000 : dayMs);
  if (Number.isNaN(atMs)) throw new ConfigError('--expires', [`"${text}" is not like 12h, 90d, 2027-01-31 or never`]);
  if (atMs <= nowMs) throw new ConfigError('--expires', [`"${text}" is over already`]);
  return atMs;
}

function dateMs(text: string): number {
  return /^\d{4}-\d\d-\d\d(T|$)/.test(text) ? Date.parse(text) : Number.NaN;
}

const timeText = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

function tokenJson({ name, scope, createdMs, expiresMs, lastUsedMs }: ListedToken): object {
  return { name, scope, created: timeText(createdMs), expires: timeText(expiresMs), lastUsed: timeText(lastUsedMs) };
}

function tokenLine({ name, scope, expiresMs, lastUsedMs }: ListedToken, nowMs: number): string {
  const end = expiresMs === null ? 'never expires' : `${expiresMs <= nowMs ? 'EXPIRED' : 'expires'} ${timeText(expiresMs)?.slice(0, 10)}`;
  const use = lastUsedMs === null ? 'not used yet' : `last used ${timeText(lastUsedMs)?.slice(0, 13).replace('T', ' ')} h UTC`;
  return `${name.padEnd(24)} ${scope.padEnd(8)} ${end.padEnd(20)} ${use}`;
}
