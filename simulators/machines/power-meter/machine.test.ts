import { machineSuite } from '../../testing/machine-suite.ts';
import { powerMeter } from './machine.ts';

machineSuite(powerMeter, { startKwh: 1_000 });
