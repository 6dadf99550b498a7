import { machineSuite } from '../../testing/machine-suite.ts';
import { weldingRobot } from './machine.ts';

machineSuite(weldingRobot, {
  products: [
    { name: 'A', idealCycleMs: 20_000, lotPieces: 200 },
    { name: 'B', idealCycleMs: 24_000, lotPieces: 300 },
  ],
});
