import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import openapiTS, { astToString } from 'openapi-typescript';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { checkout, type Process } from '../harness/nhip.ts';
import { type DataFolder, makeDataFolder, startServer } from '../harness/plant.ts';

/** A program against the types that were generated from the document of the running server. */
const program = `
import type { components, operations, paths } from './api.ts';

type Answer<Operation extends { responses: { 200: { content: { 'application/json': unknown } } } }> =
  Operation['responses'][200]['content']['application/json'];

export async function firstFault(base: string, token: string): Promise<string | undefined> {
  const headers = { authorization: \`Bearer \${token}\` };
  const query: NonNullable<operations['getMachines']['parameters']['query']> = { limit: 100 };
  const response = await fetch(\`\${base}/api/v1/machines?limit=\${query.limit}\`, { headers });
  if (!response.ok) {
    const problem = (await response.json()) as components['schemas']['Problem'];
    throw new Error(\`\${problem.status} \${problem.detail}\`);
  }
  const page = (await response.json()) as Answer<operations['getMachines']>;
  const machine: components['schemas']['Machine'] | undefined = page.machines.find(({ state }) => state === 'fault');
  const next: string | null = page.next;
  return next === null ? machine?.reason ?? undefined : next;
}

export const replay: NonNullable<paths['/api/v1/dead-letters/replay']['post']>['requestBody']['content']['application/json'] = {
  reason: 'beforeBirth',
};
export const history: paths['/api/v1/history']['get']['parameters']['query'] = { machine: 'g/e/M', metric: 'P', every: '1m' };
`;

/** Uses that the document does not allow. */
const mistakes = {
  'mistake-state.ts': `import type { components } from './api.ts';
export const state: components['schemas']['Machine']['state'] = 'exploded';`,
  'mistake-missing-parameter.ts': `import type { paths } from './api.ts';
export const history: paths['/api/v1/history']['get']['parameters']['query'] = { machine: 'g/e/M' };`,
  'mistake-path.ts': `import type { paths } from './api.ts';
export type Gone = paths['/api/v1/gone'];`,
  'mistake-limit.ts': `import type { operations } from './api.ts';
export const at: operations['getMachines']['parameters']['query'] = { limit: 'many' };`,
};

const compiler = join(checkout, 'test/node_modules/typescript/bin/tsc');
let data: DataFolder;
let server: Process;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nhip-client-'));
  data = makeDataFolder();
  server = startServer(data);
  const { http } = await server.ready;
  // Checks the document first: one that is no OpenAPI 3.1 is refused.
  const types = await openapiTS(new URL(`http://127.0.0.1:${http}/api/openapi.json`));
  writeFileSync(join(folder, 'api.ts'), astToString(types));
});
afterAll(async () => {
  await server?.kill();
  data.remove();
  rmSync(folder, { recursive: true });
});

it('a client generated from the document of the running server compiles, and wrong uses of it do not', () => {
  const files = { 'program.ts': program, ...mistakes };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const said = compile(Object.keys(files));
  expect(said.filter((line) => !line.startsWith('mistake-'))).toEqual([]);
  for (const name of Object.keys(mistakes)) expect(said, name).toContainEqual(expect.stringMatching(`^${name}\\(\\d+,\\d+\\): error TS`));
});

/** The lines with what the compiler finds wrong. All files at once: it needs seconds to begin. */
function compile(names: readonly string[]): readonly string[] {
  const options = [
    '--noEmit',
    '--strict',
    '--target',
    'es2022',
    '--module',
    'nodenext',
    '--allowImportingTsExtensions',
    '--lib',
    'es2022,dom',
  ];
  const { stdout } = spawnSync(process.execPath, [compiler, ...options, '--pretty', 'false', ...names], { cwd: folder, encoding: 'utf8' });
  return stdout.split('\n').filter((line) => /^\S/.test(line));
}
