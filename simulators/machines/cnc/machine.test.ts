import { machineSuite } from '../../testing/machine-suite.ts';
import { cnc } from './machine.ts';

machineSuite(cnc, {
  products: [
    { name: 'A', idealCycleMs: 20_000, lotPieces: 200 },
    { name: 'B', idealCycleMs: 24_000, lotPieces: 300 },
  ],
  spindleSpeed: 8_000,
  runKw: 14,
  toolLife: 120,
});
