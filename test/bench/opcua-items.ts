import { startOpcuaServer, type TestNode } from '@nhip/edge-agent/testing/opcua-server';
import { ownProcessorS, serveReports } from './beside.ts';
import { itemNode, itemsUri } from './opcua-nodes.ts';
import { givenTask } from './run-apart.ts';

/** An OPC UA server with doubles: the first half changes once a second, each at its own time in the second, the others never. */
export interface ItemsTask {
  readonly items: number;
}

export interface ItemsReport {
  readonly processorS: number;
}

const steps = 10;
const stepMs = 1000 / steps;

const { items } = givenTask<ItemsTask>();
const perStep = items / 2 / steps;
const nodes = Array.from({ length: items }, (_, i): TestNode => ({ node: itemNode(i), dataType: 'Double', value: i }));
const server = await startOpcuaServer({ namespaces: [itemsUri], nodes });
const startedMs = performance.now();
let step = 0;

/** Does not drift: what a late timer left out is done at once. */
function change(): void {
  for (; step * stepMs <= performance.now() - startedMs; step++) {
    const from = (step % steps) * perStep;
    for (let i = from; i < from + perStep; i++) server.set(itemNode(i), i + step / 1000);
  }
}

setInterval(change, stepMs / 2);
serveReports({ port: server.port }, () => ({ processorS: ownProcessorS() }) satisfies ItemsReport);
