import { machineSuite } from '../../testing/machine-suite.ts';
import { compressor } from './machine.ts';

machineSuite(compressor, { deliveryRate: 7.5, receiver: 3, loadBar: 6.3, unloadBar: 7.3, fullKw: 45 });
