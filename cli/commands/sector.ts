import { ConfigError } from '@nhip/core/process/errors';
import type { Command } from '../arguments.ts';
import { agreementCommand } from '../sector/agreement.ts';
import { enrol } from '../sector/enrol.ts';
import { factory } from '../sector/factory.ts';
import { join } from '../sector/join.ts';
import { serve } from '../sector/serve.ts';
import { verify } from '../sector/verify.ts';

const actions = { serve, enrol, agreement: agreementCommand, join, factory, verify };

export const sector: Command = {
  name: 'sector',
  summary: 'The way to the sector platform: its server, and tools for signed reports and their receipts.',
  flags: {},
  actions,
  run: async (input) => {
    const [action] = input.positionals;
    const said = action === undefined ? '' : `"${action}" is not an action; `;
    throw new ConfigError('nhip sector', [`${said}say one of ${Object.keys(actions).join(', ')}`]);
  },
};
