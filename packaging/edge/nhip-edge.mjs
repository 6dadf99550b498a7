#!/usr/bin/env node
// The program of a gateway: looks whether Node is new enough, sets it up for little memory, and runs the bundle beside it.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`nhip-edge needs Node 20.19 or newer, this is ${process.versions.node}. Install the current LTS from https://nodejs.org.`);
  process.exit(1);
}
// A young generation that stays small costs a little CPU and saves 20 MB and more.
const { setFlagsFromString } = await import('node:v8');
setFlagsFromString('--semi-space-growth-factor=1');
setFlagsFromString('--max-semi-space-size=2');
// The same for the old one: without it V8 lets it grow to several times of what is alive.
setFlagsFromString('--heap-growing-percent=20');
const { main } = await import('./lib/edge-main.js');
await main(process.argv.slice(2));
