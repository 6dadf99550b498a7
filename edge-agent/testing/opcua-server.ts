import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataType, VariantOptions } from 'node-opcua-client';

/** An OPC UA server in this process, for tests of the driver. */
export interface TestOpcuaServer {
  readonly port: number;
  readonly endpoint: string;
  /** Writes a value; subscribers hear of it. */
  set(node: string, value: unknown): void;
  /** Gives the value that is there another status, e.g. BadSensorFailure, and source time. */
  setStatus(node: string, status: 'Good' | 'UncertainLastUsableValue' | 'BadSensorFailure', sourceTimestamp?: Date): void;
  /** Subscriptions that clients have open. */
  subscriptions(): number;
  stop(): Promise<void>;
}

export interface TestNode {
  /** `nsu=<uri>;s=<name>` */
  readonly node: string;
  readonly dataType: keyof typeof DataType;
  readonly value: unknown;
}

export interface TestServerOptions {
  /** 0 = any. */
  readonly port?: number | undefined;
  /** Registered in this order: the first gets index 2. */
  readonly namespaces: readonly string[];
  readonly nodes: readonly TestNode[];
  readonly maxMonitoredItemsPerCall?: number | undefined;
  /** Holds the server's key; made and kept by the test when the server must keep its identity. */
  readonly pkiFolder?: string | undefined;
  readonly users?: Readonly<Record<string, string>> | undefined;
}

export async function startOpcuaServer(options: TestServerOptions): Promise<TestOpcuaServer> {
  process.env.NODEOPCUA_LOG_LEVEL ??= '0';
  const { OPCUACertificateManager } = await import('node-opcua-certificate-manager');
  const { OPCUAServer } = await import('node-opcua-server');
  const { StatusCodes, VariantArrayType } = await import('node-opcua-client');
  const variant = (dataType: keyof typeof DataType, value: unknown): VariantOptions => ({
    dataType,
    arrayType: VariantArrayType.Scalar,
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
    ...(options.maxMonitoredItemsPerCall === undefined
      ? {}
      : { serverCapabilities: { operationLimits: { maxMonitoredItemsPerCall: options.maxMonitoredItemsPerCall } } }),
  });
  await server.initialize();
  const addressSpace = server.engine.addressSpace;
  if (addressSpace === null) throw new Error('the OPC UA server has no address space');
  for (const uri of options.namespaces) addressSpace.registerNamespace(uri);
  const variables = new Map(
    options.nodes.map(({ node, dataType, value }) => {
      const [, uri = '', identifier = ''] = /^nsu=([^;]+);(.+)$/.exec(node) ?? [];
      const index = addressSpace.getNamespaceIndex(uri);
      const variable = addressSpace.getNamespace(uri).addVariable({
        nodeId: `ns=${index};${identifier}`,
        browseName: identifier,
        organizedBy: addressSpace.rootFolder.objects,
        dataType,
        value: variant(dataType, value),
      });
      return [node, { variable, dataType }] as const;
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
      const { variable, dataType } = find(node);
      variable.setValueFromSource(variant(dataType, value));
    },
    setStatus: (node, status, sourceTimestamp) => {
      const { variable } = find(node);
      variable.setValueFromSource(variable.readValue().value, StatusCodes[status], sourceTimestamp);
    },
    subscriptions: () => server.engine.currentSubscriptionCount,
    stop: async () => {
      await server.shutdown(0);
      if (own !== undefined) await rm(own, { recursive: true, force: true });
    },
  };
}
