import { ConfigError } from '@nhip/core/process/errors';
import type { Command } from '../arguments.ts';
import { browse } from '../edge/browse.ts';
import { check } from '../edge/check.ts';
import { config } from '../edge/config.ts';
import { plan } from '../edge/plan.ts';
import { edgeProgram } from '../edge/program.ts';
import { read } from '../edge/read.ts';
import { run } from '../edge/run.ts';
import { scan } from '../edge/scan.ts';
import { trust } from '../edge/trust.ts';
import { write } from '../edge/write.ts';

const actions = { run, check, plan, scan, browse, read, write, trust, config };

export const edge: Command = {
  name: 'edge',
  summary: 'The edge agent: reads machines and publishes them as Sparkplug B; and the tools to get it going.',
  flags: {},
  actions,
  run: async (input) => {
    const [action] = input.positionals;
    const said = action === undefined ? '' : `"${action}" is not an action; `;
    throw new ConfigError(edgeProgram, [`${said}say one of ${Object.keys(actions).join(', ')}`]);
  },
};
