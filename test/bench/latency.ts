import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import { launchChromium } from '../harness/chromium.ts';
import { type DataFolder, makeDataFolder, prepareEdge, startServer } from '../harness/plant.ts';
import { startSettablePlc } from '../harness/settable-plc.ts';
import { until } from '../harness/until.ts';
import { type Bench, quantile } from './figures.ts';
import { residentMb } from './process-memory.ts';

const intervalMs = 100;
const states: Readonly<Record<string, string>> = { 0: 'stopped', 1: 'running', 2: 'fault', 3: 'setup', 4: 'idle', 5: 'maintenance' };
const stateCount = Object.keys(states).length;

/** Longest time to wait for one change: longer means that it is lost. */
const deadlineMs = 10_000;

/** Opens the board and has the page tell the time of every change of the tile's state word, by the page's clock. */
async function watchBoard(browser: Browser, http: number, changed: (word: string, atMs: number) => void): Promise<Page> {
  const page = await browser.newPage({ locale: 'en-GB', viewport: { width: 1280, height: 800 } });
  await page.exposeFunction('reportChange', changed);
  await page.goto(`http://127.0.0.1:${http}/`);
  await page.locator('a.tile .word').first().waitFor({ timeout: 20_000 });
  // Text, not a function: the page's code must not carry the helpers of our TypeScript loader.
  await page.evaluate(`(() => {
    const word = () => document.querySelector('a.tile .word')?.textContent?.trim() ?? '';
    let last = word();
    new MutationObserver(() => {
      const atMs = Date.now();
      const now = word();
      if (now !== last) { last = now; window.reportChange(now, atMs); }
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
  })()`);
  return page;
}

/** Makes changes one after the other, each time at a random phase of poll and tick; resolves with ms from change to DOM. */
async function measure(change: () => void, changes: number, next: () => Promise<number>): Promise<readonly number[]> {
  const delays: number[] = [];
  for (let i = 0; i < changes; i++) {
    await sleep(150 + Math.random() * 200);
    const seen = next();
    const changedAtMs = Date.now();
    change();
    delays.push((await seen) - changedAtMs);
  }
  return delays;
}

async function startPlant(data: DataFolder, plcPort: number) {
  const server = startServer(data);
  const { http = 0, mqtt = 0 } = await server.ready;
  const tag = { metric: 'State', address: 'holding:0:uint16', enum: states };
  const device = { id: 'M1', unit: 1, intervalMs, kind: 'packaging', tags: [tag] };
  const endpoint = `tcp://127.0.0.1:${plcPort}`;
  const edge = await prepareEdge(data, 'e', mqtt, [{ id: 'plc', driver: 'modbus', endpoint, devices: [device] }]);
  const agent = edge.start();
  await agent.ready;
  return { server, agent, http };
}

export const latency: Bench = {
  name: 'latency',
  summary: `Register of a Modbus PLC → changed DOM of the board in Chromium, the poll interval (${intervalMs} ms) subtracted`,
  async run({ runs, isShort }) {
    const changes = isShort ? 20 : 200;
    const data = makeDataFolder();
    const plc = await startSettablePlc();
    const { server, agent, http } = await startPlant(data, plc.port);
    const browser = await launchChromium();
    let state = 0;
    const change = (): void => {
      state = (state + 1) % stateCount;
      plc.set(0, state);
    };
    let arrived: ((atMs: number) => void) | undefined;
    const next = (): Promise<number> =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`the board did not show a change within ${deadlineMs} ms`)), deadlineMs);
        arrived = (atMs) => {
          clearTimeout(timer);
          resolve(atMs);
        };
      });
    try {
      await until('the machine is known', async () => {
        const response = await fetch(`http://127.0.0.1:${http}/api/v1/machines`);
        return (await response.text()).includes('M1');
      });
      await watchBoard(browser, http, (_, atMs) => arrived?.(atMs));
      await measure(change, isShort ? 5 : 20, next);
      const all: (readonly number[])[] = [];
      const memory: number[][] = [[], []];
      for (let run = 0; run < runs; run++) {
        all.push(await measure(change, changes, next));
        memory[0]?.push(residentMb(server.pid).rss);
        memory[1]?.push(residentMb(agent.pid).rss);
      }
      const of = (share: number): readonly number[] => all.map((delays) => quantile(delays, share) - intervalMs);
      return {
        figures: [
          { what: 'p50, poll interval subtracted', unit: 'ms', values: of(0.5), memory: { unit: 'MB', values: memory[0] ?? [] } },
          { what: 'p99, poll interval subtracted', unit: 'ms', values: of(0.99), target: { kind: 'atMost', value: 250 } },
          { what: 'worst, poll interval subtracted', unit: 'ms', values: of(1) },
          { what: 'p50 as a person sees it, poll included', unit: 'ms', values: all.map((delays) => quantile(delays, 0.5)) },
        ],
        notes: [
          `${changes} changes per run, one at a time, each at a random phase of poll and tick; PLC and page read the same clock.`,
          'On the way: poll, outbox sync (at most 100 ms), broker sync, decode, live tick (at most 100 ms), Socket.io, Svelte. All with their default settings; the plant has one machine.',
          'The DOM change is measured, not the paint.',
          `Memory: resident memory of the server; the edge agent had ${Math.round(quantile(memory[1] ?? [], 0.5))} MB.`,
        ],
      };
    } finally {
      await browser.close();
      await agent.stop();
      await server.stop();
      await plc.close();
      data.remove();
    }
  },
};
