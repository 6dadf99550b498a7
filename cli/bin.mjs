#!/usr/bin/env node
// The `nhip` command of a checkout: builds what is stale, then runs the bundle in this process.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Nhịp needs Node 20.19 or newer, this is ${process.versions.node}. Install the current LTS from https://nodejs.org.`);
  process.exit(1);
}
// An edge agent shares a small gateway: a young generation that stays small costs a little CPU and saves 20 MB and more.
if (process.argv[2] === 'edge') {
  const { setFlagsFromString } = await import('node:v8');
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--max-semi-space-size=2');
  // The same for the old one: without it V8 lets it grow to several times of what is alive.
  setFlagsFromString('--heap-growing-percent=20');
}
// Roles that the demo starts run what the demo was started with.
if (process.env.NHIP_SKIP_BUILD !== '1') {
  try {
    const { buildStale } = await import('./build.mjs');
    await buildStale({ say: (line) => process.stderr.write(`  ${line}\n`) });
  } catch (error) {
    console.error(
      `The build failed: ${error instanceof Error ? error.message : error}\nRun "npm ci" first, in the folder of package.json.`,
    );
    process.exit(1);
  }
}
const { main } = await import('../dist/nhip.js');
await main(process.argv.slice(2));
