import { describeDatabase } from '../testing/database-suite.ts';
import { describeEachDatabase } from '../testing/each-database.ts';

describeEachDatabase(describeDatabase);
