import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { DataType, VariantOptions } from 'node-opcua-client';
import type { OPCUAServer, OPCUAServerOptions } from 'node-opcua-server';

export type TestAddressSpace = NonNullable<OPCUAServer['engine']['addressSpace']>;
export type TestVariable = ReturnType<ReturnType<TestAddressSpace['registerNamespace']>['addVariable']>;

/** An OPC UA server in this process, for tests of the driver. */
export interface TestOpcuaServer {
  readonly port: number;
  readonly endpoint: string;
  /** Writes a value; subscribers hear of it. */
  set(node: string, value: unknown): void;
  /** Gives the value that is there another status, e.g. BadSensorFailure, and source time. */
  setStatus(node: string, status: TestStatus, sourceTimestamp?: Date): void;
  /** Writes a value with the source time that a test wants: what the server's history then has. */
  record(node: string, value: unknown, sourceTimestamp: Date, status?: TestStatus): void;
  /** Subscriptions that clients have open. */
  subscriptions(): number;
  /** The library's own objects, for what only one test needs. */
  readonly server: OPCUAServer;
  readonly addressSpace: TestAddressSpace;
  variable(node: string): TestVariable;
  stop(): Promise<void>;
}

export type TestStatus = 'Good' | 'UncertainLastUsableValue' | 'BadSensorFailure';

export interface TestNode {
  /** `nsu=<uri>;s=<name>` */
  readonly node: string;
  readonly dataType: keyof typeof DataType;
  /** An array for an array of this type. */
  readonly value: unknown;
  readonly isArray?: boolean | undefined;
  /** How many values of it the server keeps. */
  readonly history?: number | undefined;
  readonly isReadOnly?: boolean | undefined;
}

export interface TestServerOptions {
  /** 0 = any. */
  readonly port?: number | undefined;
  /** Registered in this order: the first gets index 2. */
  readonly namespaces: readonly string[];
  readonly nodes: readonly TestNode[];
  readonly maxMonitoredItemsPerCall?: number | undefined;
  /** Other limits that the server has; they win over `maxMonitoredItemsPerCall`. */
  readonly capabilities?: OPCUAServerOptions['serverCapabilities'];
  /** Node set files instead of the standard one: a small one makes a server that starts at once. */
  readonly nodeSets?: readonly string[] | undefined;
  /** Holds the server's key; made and kept by the test when the server must keep its identity. */
  readonly pkiFolder?: string | undefined;
  readonly users?: Readonly<Record<string, string>> | undefined;
  /** The server's certificate, for the key in `pkiFolder`/server; made when absent. */
  readonly certificateFile?: string | undefined;
  /** Offers every security when absent. */
  readonly securityModes?: OPCUAServerOptions['securityModes'];
}

/** A node set with little more than the server object: a server with it starts in a tenth of the time. */
export function smallNodeSets(): readonly string[] {
  const fromServer = createRequire(createRequire(import.meta.url).resolve('node-opcua-server'));
  return [fromServer.resolve('node-opcua-address-space/nodesets/mini.Nodeset2.xml')];
}

/** Node sets of companion specifications, by the names of their files, after the standard one. */
export function companionNodeSets(...names: readonly string[]): readonly string[] {
  const fromServer = createRequire(createRequire(import.meta.url).resolve('node-opcua-server'));
  const folder = join(dirname(fromServer.resolve('node-opcua-nodesets/package.json')), 'nodesets');
  return ['Opc.Ua.NodeSet2.xml', ...names].map((name) => join(folder, name));
}

export async function startOpcuaServer(options: TestServerOptions): Promise<TestOpcuaServer> {
  process.env.NODEOPCUA_LOG_LEVEL ??= '0';
  const { OPCUACertificateManager } = await import('node-opcua-certificate-manager');
  const { OPCUAServer } = await import('node-opcua-server');
  const { StatusCodes, VariantArrayType } = await import('node-opcua-client');
  const variant = ({ dataType, isArray }: TestNode, value: unknown): VariantOptions => ({
    dataType,
    arrayType: isArray === true ? VariantArrayType.Array : VariantArrayType.Scalar,
    value,
  });
  const own = options.pkiFolder === undefined ? await mkdtemp(join(tmpdir(), 'nhip-opcua-')) : undefined;
  const rootFolder = options.pkiFolder ?? own ?? '';
  const manager = (name: string) =>
    new OPCUACertificateManager({
      rootFolder: join(rootFolder, name),
      automaticallyAcceptUnknownCertificate: true,
      disableFileWatchers: true,
    });
  const server = new OPCUAServer({
    port: options.port ?? 0,
    host: '127.0.0.1',
    hostname: '127.0.0.1',
    serverCertificateManager: manager('server'),
    userCertificateManager: manager('users'),
    allowAnonymous: true,
    userManager: { isValidUser: (name: string, password: string) => options.users?.[name] === password },
    ...(options.certificateFile === undefined ? {} : { certificateFile: options.certificateFile }),
    ...(options.securityModes === undefined ? {} : { securityModes: options.securityModes }),
    ...(options.nodeSets === undefined ? {} : { nodeset_filename: [...options.nodeSets] }),
    serverCapabilities: options.capabilities ?? {
      ...(options.maxMonitoredItemsPerCall === undefined
        ? {}
        : { operationLimits: { maxMonitoredItemsPerCall: options.maxMonitoredItemsPerCall } }),
    },
  });
  await server.initialize();
  const addressSpace = server.engine.addressSpace;
  if (addressSpace === null) throw new Error('the OPC UA server has no address space');
  for (const uri of options.namespaces) addressSpace.registerNamespace(uri);
  const variables = new Map(
    options.nodes.map((definition) => {
      const { node, dataType, value, isArray, history, isReadOnly } = definition;
      const [, uri = '', identifier = ''] = /^nsu=([^;]+);(.+)$/.exec(node) ?? [];
      const index = addressSpace.getNamespaceIndex(uri);
      const variable = addressSpace.getNamespace(uri).addVariable({
        nodeId: `ns=${index};${identifier}`,
        browseName: identifier,
        organizedBy: addressSpace.rootFolder.objects,
        dataType,
        valueRank: isArray === true ? 1 : -1,
        accessLevel: isReadOnly === true ? 'CurrentRead' : 'CurrentRead | CurrentWrite',
        userAccessLevel: isReadOnly === true ? 'CurrentRead' : 'CurrentRead | CurrentWrite',
        value: variant(definition, value),
      });
      if (history !== undefined) addressSpace.installHistoricalDataNode(variable, { maxOnlineValues: history });
      return [node, { variable, definition }] as const;
    }),
  );
  await server.start();
  const port = Number(/:(\d+)/.exec(server.getEndpointUrl().replace('opc.tcp://', ''))?.[1]);
  const find = (node: string) => {
    const found = variables.get(node);
    if (found === undefined) throw new Error(`the test server has no ${node}`);
    return found;
  };
  return {
    port,
    endpoint: `opc.tcp://127.0.0.1:${port}`,
    set: (node, value) => {
      const { variable, definition } = find(node);
      variable.setValueFromSource(variant(definition, value));
    },
    record: (node, value, sourceTimestamp, status = 'Good') => {
      const { variable, definition } = find(node);
      variable.setValueFromSource(variant(definition, value), StatusCodes[status], sourceTimestamp);
    },
    setStatus: (node, status, sourceTimestamp) => {
      const { variable } = find(node);
      variable.setValueFromSource(variable.readValue().value, StatusCodes[status], sourceTimestamp);
    },
    subscriptions: () => server.engine.currentSubscriptionCount,
    server,
    addressSpace,
    variable: (node) => find(node).variable,
    stop: async () => {
      await server.shutdown(0);
      if (own !== undefined) await rm(own, { recursive: true, force: true });
    },
  };
}
