import type { Cell, Family } from './cell.ts';
import { badData } from './cells/bad-data.ts';
import { configuration } from './cells/configuration.ts';
import { disks } from './cells/disks.ts';
import { kernelLinks } from './cells/kernel-links.ts';
import { links } from './cells/links.ts';
import { rolesApart } from './cells/roles-apart.ts';
import { store } from './cells/store.ts';
import { time } from './cells/time.ts';
import { tools } from './cells/tools.ts';
import { whoDies } from './cells/who-dies.ts';

/** The fault matrix. A new cell is one entry in a file of `cells/`; a new file is one line here. */
export const families: readonly Family[] = [whoDies, links, kernelLinks, disks, store, time, badData, configuration, tools, rolesApart];

export const allCells: readonly Cell[] = families.flatMap(({ cells }) => cells);
