import { machineSuite } from '../../testing/machine-suite.ts';
import { casePacker } from './machine.ts';

machineSuite(casePacker, {
  products: [
    { name: 'Nước rửa chén 5 L', idealCycleMs: 6_000, lotPieces: 900 },
    { name: 'Nước lau sàn 5 L', idealCycleMs: 6_000, lotPieces: 900 },
  ],
  bottlesPerCase: 4,
});
