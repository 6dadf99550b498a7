import { machineSuite } from '../../testing/machine-suite.ts';
import { moulding } from './machine.ts';

machineSuite(moulding, {
  products: [
    { name: 'A', idealCycleMs: 20_000, lotPieces: 200 },
    { name: 'B', idealCycleMs: 24_000, lotPieces: 300 },
  ],
  clampKn: 2_500,
  runKw: 30,
  meltTemp: 215,
});
