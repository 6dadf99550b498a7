import { machineSuite } from '../../testing/machine-suite.ts';
import { filling } from './machine.ts';

machineSuite(filling, {
  products: [
    { name: 'Nước rửa chén 5 L', idealCycleMs: 6_000, lotPieces: 900 },
    { name: 'Nước lau sàn 5 L', idealCycleMs: 6_000, lotPieces: 900 },
  ],
  fillMl: 5_000,
});
