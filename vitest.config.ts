import { defineConfig } from 'vitest/config';

const resultsFile = process.env.NHIP_TEST_RESULTS;

export default defineConfig({
  test: {
    // CI reads the counts from a file; people read the screen.
    reporters: resultsFile === undefined ? ['default'] : ['default', ['json', { outputFile: resultsFile }]],
    // Groups run one after the other, and projects of one group share its workers. For the smallest machine that we build on (two
    // cores): a unit test that waits for a server or a disk leaves its core to another; what starts processes of its own needs both.
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            '{core,stores,edge-agent,broker,ingest,live,sector,simulators,cli}/**/*.test.ts',
            'dashboards/{web/src,grafana}/**/*.test.ts',
            'test/{repo,checker}/**/*.test.ts',
          ],
          maxWorkers: 3,
          // Three processes for all files: to load the modules anew for each of 300 files would be half of the work.
          isolate: false,
          // A spy of one file must not be heard in the next.
          restoreMocks: true,
          sequence: { groupOrder: 1 },
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'sim',
          include: ['test/sim/**/*.test.ts'],
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
          testTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'system',
          include: ['{test/system,test/conformance,packaging}/**/*.test.ts'],
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'fault',
          include: ['test/fault/**/*.test.ts'],
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
          testTimeout: 180_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
