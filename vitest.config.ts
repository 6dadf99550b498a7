import { defineConfig } from 'vitest/config';

const resultsFile = process.env.NHIP_TEST_RESULTS;

export default defineConfig({
  test: {
    // CI reads the counts from a file; people read the screen.
    reporters: resultsFile === undefined ? ['default'] : ['default', ['json', { outputFile: resultsFile }]],
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            '{core,stores,edge-agent,broker,ingest,live,simulators,cli}/**/*.test.ts',
            'dashboards/{web/src,grafana}/**/*.test.ts',
            'test/{repo,checker}/**/*.test.ts',
          ],
          testTimeout: 20_000,
          hookTimeout: 60_000,
        },
      },
      { test: { name: 'sim', include: ['test/sim/**/*.test.ts'], testTimeout: 120_000 } },
      {
        test: {
          name: 'system',
          include: ['{test/system,test/conformance,packaging}/**/*.test.ts'],
          // They wait more than they compute; each has ports and folders of its own.
          maxWorkers: 2,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      { test: { name: 'fault', include: ['test/fault/**/*.test.ts'], testTimeout: 180_000, hookTimeout: 120_000, fileParallelism: false } },
      {
        test: {
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
