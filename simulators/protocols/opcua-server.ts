import type { Log } from '@nhip/core/process/log';
import type { Value } from '@nhip/core/wire/sample';
import { OPCUACertificateManager } from 'node-opcua-certificate-manager';
import {
  coerceLocalizedText,
  coerceNodeId,
  DataType,
  MessageSecurityMode,
  SecurityPolicy,
  StatusCodes,
  setDebugLogger,
  setErrorLogger,
  setWarningLogger,
} from 'node-opcua-client';
import { nodesets } from 'node-opcua-nodesets';
import { OPCUAServer } from 'node-opcua-server';
import type { MachineKind, MachineValues } from '../machine.ts';
import { isNode, type NodePoint, nodeIdentifier, nodeNamespace, type Point, rawNumber } from '../points.ts';
import { addMachineTool, addPackml, type MachineObject, type Mirror, type Namespace } from './opcua-companion.ts';

/** The OPC UA server of the machine cells: companion objects plus vendor variables in the namespace `urn:nhip:simulator`. */
export interface OpcUaServer {
  /** Listens; resolves with the port. Rejects when the port is taken. */
  start(): Promise<number>;
  /** Publishes values that changed since the last call, with this source time (ms UTC). */
  update(nowMs: number): void;
  /** Idempotent. */
  stop(): Promise<void>;
}

export interface OpcUaMachine {
  readonly id: string;
  readonly displayName: string;
  readonly companion: NonNullable<MachineKind<never>['companion']>;
  readonly points: readonly Point[];
  readonly values: () => MachineValues;
}

export interface OpcUaServerConfig {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Absolute folder for the server's own key and certificate, made at the first start. */
  readonly pkiDir: string;
  readonly machines: readonly OpcUaMachine[];
}

/** A node and the last value that was published. */
interface Binding {
  readonly values: () => MachineValues;
  readonly mirror: Mirror;
  last: string | number | boolean | undefined;
}

/** Without security and with anonymous users only: for the loopback interface of a simulator. */
export function createOpcUaServer(config: OpcUaServerConfig, deps: { readonly log: Log }): OpcUaServer {
  const bindings: Binding[] = [];
  let server: OPCUAServer | undefined;

  return {
    async start() {
      silence(deps.log);
      server = createServer(config);
      await server.initialize();
      const space = server.engine.addressSpace;
      if (space === null) throw new Error('OPC UA server: no address space after initialize');
      const namespace = space.registerNamespace(nodeNamespace);
      for (const machine of config.machines) {
        const add = machine.companion === 'machineTool' ? addMachineTool : addPackml;
        const { object, mirrors } = add(space, namespace, machine.id);
        object.setDisplayName(machine.displayName);
        const vendor = machine.points.filter(isNode).map((point) => addVendorVariable(namespace, object, machine.id, point));
        for (const mirror of [...mirrors, ...vendor]) bindings.push({ values: machine.values, mirror, last: undefined });
      }
      await server.start();
      return server.endpoints[0]?.port ?? config.port;
    },
    update(nowMs) {
      const at = new Date(nowMs);
      for (const binding of bindings) publish(binding, at);
    },
    async stop() {
      const running = server;
      server = undefined;
      bindings.length = 0;
      await running?.shutdown(0);
    },
  };
}

function createServer(config: OpcUaServerConfig): OPCUAServer {
  const certificates = new OPCUACertificateManager({
    rootFolder: config.pkiDir,
    automaticallyAcceptUnknownCertificate: true,
    disableFileWatchers: true,
  });
  const isEveryInterface = config.host === '0.0.0.0' || config.host === '::';
  return new OPCUAServer({
    host: config.host,
    ...(isEveryInterface ? {} : { hostname: config.host }),
    port: config.port,
    // PackML and MachineTool with everything they need: MachineTool 1.02 builds on Machinery Jobs, which builds on ISA-95.
    nodeset_filename: [
      nodesets.standard,
      nodesets.di,
      nodesets.isa95JobControl,
      nodesets.ia,
      nodesets.machinery,
      nodesets.machineryJobs,
      nodesets.machineTool,
      nodesets.packML,
    ],
    serverCertificateManager: certificates,
    userCertificateManager: certificates,
    securityModes: [MessageSecurityMode.None],
    securityPolicies: [SecurityPolicy.None],
    allowAnonymous: true,
    serverInfo: {
      applicationUri: 'urn:nhip:simulator:server',
      productUri: 'urn:nhip:simulator',
      applicationName: { text: 'Nhip simulator' },
    },
    buildInfo: { productName: 'Nhip simulator', manufacturerName: 'Nhip' },
  });
}

const dataTypes = {
  Double: DataType.Double,
  Int32: DataType.Int32,
  UInt32: DataType.UInt32,
  Boolean: DataType.Boolean,
  String: DataType.String,
} as const;

function addVendorVariable(namespace: Namespace, object: MachineObject, machine: string, point: NodePoint): Mirror {
  const variable = namespace.addVariable({
    componentOf: object,
    browseName: point.name,
    nodeId: `s=${nodeIdentifier(machine, point)}`,
    dataType: point.dataType,
    accessLevel: 'CurrentRead',
    userAccessLevel: 'CurrentRead',
  });
  return { variable, dataType: dataTypes[point.dataType], read: (values) => vendorValue(point, values[point.metric] ?? null) };
}

function vendorValue(point: NodePoint, value: Value): string | number | boolean {
  if (point.dataType === 'String') return String(value ?? '');
  if (point.dataType === 'Boolean') return value === true;
  return rawNumber(point, value);
}

function publish(binding: Binding, at: Date): void {
  const { mirror } = binding;
  const value = mirror.read(binding.values());
  if (value === binding.last) return;
  binding.last = value;
  mirror.variable.setValueFromSource({ dataType: mirror.dataType, value: asVariant(mirror.dataType, value) }, StatusCodes.Good, at);
}

function asVariant(dataType: DataType, value: string | number | boolean) {
  if (dataType === DataType.LocalizedText) return coerceLocalizedText(String(value));
  if (dataType === DataType.NodeId) return coerceNodeId(String(value));
  return value;
}

/** node-opcua writes to the console by itself; its messages go to the debug log, without objects, which may be whole requests. */
function silence(log: Log): void {
  const pass = (...parts: unknown[]): void => {
    log.debug({ detail: parts.filter((part) => typeof part === 'string').join(' ') }, 'Message of the OPC UA library');
  };
  setDebugLogger(pass);
  setErrorLogger(pass);
  setWarningLogger(pass);
}
