import type { DashboardSpec } from '../dashboard-spec.ts';
import { alarms } from './alarms.ts';
import { dataQuality } from './data-quality.ts';
import { energy } from './energy.ts';
import { internals } from './internals.ts';
import { line } from './line.ts';
import { machine } from './machine.ts';
import { overview } from './overview.ts';

/** In the order in which a person goes from the whole to the cause. */
export const boards: readonly DashboardSpec[] = [overview, line, machine, alarms, energy, dataQuality, internals];
