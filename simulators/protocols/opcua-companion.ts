import { DataType } from 'node-opcua-client';
import type { OPCUAServer } from 'node-opcua-server';
import type { MachineValues } from '../machine.ts';

/**
 * Standard objects for the simulated machines: MachineTool (OPC 40501-1) on Machinery (OPC 40001-1) for CNC machines,
 * PackML (OPC 30050) for the others. They mirror what the vendor variables say, as far as the specification's mandatory
 * parts go.
 */
export type AddressSpace = NonNullable<OPCUAServer['engine']['addressSpace']>;
export type Namespace = ReturnType<AddressSpace['registerNamespace']>;
export type MachineObject = ReturnType<Namespace['addObject']>;
export type Variable = ReturnType<Namespace['addVariable']>;

/** A variable, and how its value follows from the machine's values. */
export interface Mirror {
  readonly variable: Variable;
  readonly dataType: DataType;
  /** Text, number or boolean; for a LocalizedText its text, for a NodeId its text form. */
  read(values: MachineValues): string | number | boolean;
}

const uri = {
  di: 'http://opcfoundation.org/UA/DI/',
  machinery: 'http://opcfoundation.org/UA/Machinery/',
  machineTool: 'http://opcfoundation.org/UA/MachineTool/',
  packml: 'http://opcfoundation.org/UA/PackML/',
} as const;

/** MachineryItemState (OPC 40001-1 §12.2): name and number of the state node in the Machinery namespace. */
const itemStates: Readonly<Record<string, { readonly name: string; readonly node: number }>> = {
  running: { name: 'Executing', node: 5006 },
  setup: { name: 'NotExecuting', node: 5007 },
  idle: { name: 'NotExecuting', node: 5007 },
  stopped: { name: 'NotExecuting', node: 5007 },
  fault: { name: 'OutOfService', node: 5004 },
  maintenance: { name: 'OutOfService', node: 5004 },
  notScheduled: { name: 'NotAvailable', node: 5005 },
};

/** MachineOperationMode of OPC 40501-1: 1 manual, 2 automatic, 3 setup, 4 auto with manual intervention, 5 service. */
const operationModes: Readonly<Record<string, number>> = { running: 2, idle: 2, setup: 3, maintenance: 5, fault: 1 };

/** PackML state words of our states. */
const packmlWords: Readonly<Record<string, string>> = {
  running: 'Execute',
  idle: 'Suspended',
  setup: 'Resetting',
  fault: 'Aborted',
  maintenance: 'Held',
  stopped: 'Stopped',
  notScheduled: 'Idle',
};

/** Adds a MachineTool object to Objects/Machines. Throws when a node set is missing. */
export function addMachineTool(
  space: AddressSpace,
  namespace: Namespace,
  id: string,
): { object: MachineObject; mirrors: readonly Mirror[] } {
  const [machinery, machineTool] = [space.getNamespaceIndex(uri.machinery), space.getNamespaceIndex(uri.machineTool)];
  const object = typeOf(space, 'MachineToolType', machineTool).instantiate({
    namespace,
    browseName: id,
    nodeId: `s=${id}`,
    organizedBy: `ns=${machinery};i=1001`,
    optionals: ['Monitoring.MachineTool.FeedOverride', 'MachineryBuildingBlocks.MachineryItemState'],
  }) as MachineObject;
  const find = finder(object);
  const spindle = typeOf(space, 'SpindleMonitoringType', machineTool).instantiate({
    namespace,
    browseName: { namespaceIndex: namespace.index, name: 'Spindle' },
    nodeId: `s=${id}-Monitoring-Spindle`,
    componentOf: find('Monitoring') as unknown as MachineObject,
  });
  const stateOf = (values: MachineValues) => itemStates[String(values.State)] ?? { name: 'NotAvailable', node: 5005 };
  const mirrors: readonly Mirror[] = [
    ...identification(find, id, 'NHIP-CNC'),
    mirror(find('MachineryBuildingBlocks.MachineryItemState.CurrentState'), DataType.LocalizedText, (values) => stateOf(values).name),
    mirror(
      find('MachineryBuildingBlocks.MachineryItemState.CurrentState.Id'),
      DataType.NodeId,
      (values) => `ns=${machinery};i=${stateOf(values).node}`,
    ),
    mirror(find('Monitoring.MachineTool.OperationMode'), DataType.Int32, (values) => operationModes[String(values.State)] ?? 0),
    mirror(find('Monitoring.MachineTool.FeedOverride'), DataType.Double, (values) => Number(values['Feed/Override'])),
    mirror(finder(spindle as MachineObject)('IsRotating'), DataType.Boolean, (values) => Number(values['Spindle/Speed']) > 1),
    mirror(find('Production.ActiveProgram.Name'), DataType.String, (values) => `${values['Job/Product']}.nc`),
    mirror(find('Production.ActiveProgram.NumberInList'), DataType.UInt16, () => 0),
    mirror(find('Production.ActiveProgram.State.CurrentState'), DataType.LocalizedText, (values) =>
      values.State === 'running' ? 'Running' : 'Interrupted',
    ),
  ];
  return { object, mirrors };
}

/** Adds a PackML object to Objects/PackMLObjects. Throws when a node set is missing. */
export function addPackml(space: AddressSpace, namespace: Namespace, id: string): { object: MachineObject; mirrors: readonly Mirror[] } {
  const packml = space.getNamespaceIndex(uri.packml);
  const object = typeOf(space, 'PackMLBaseObjectType', packml).instantiate({
    namespace,
    browseName: id,
    nodeId: `s=${id}`,
    organizedBy: `ns=${packml};i=72`,
  }) as MachineObject;
  const find = finder(object);
  const mirrors: readonly Mirror[] = [
    mirror(find('Status.CurMachSpeed'), DataType.Float, (values) => Number(values['Speed/Actual'])),
    mirror(find('Status.MachSpeed'), DataType.Float, (values) => 3_600_000 / Number(values['Cycle/IdealMs'])),
    mirror(find('Status.EquipmentBlocked'), DataType.Boolean, (values) => values['State/Reason'] === 'blocked'),
    mirror(find('Status.EquipmentStarved'), DataType.Boolean, (values) => values['State/Reason'] === 'starved'),
    mirror(find('Status.UnitModeCurrent'), DataType.Int32, (values) => (values.State === 'maintenance' ? 2 : 1)),
    mirror(
      find('BaseStateMachine.MachineState.ExecuteState.CurrentState'),
      DataType.LocalizedText,
      (values) => packmlWords[String(values.State)] ?? 'Stopped',
    ),
  ];
  return { object, mirrors };
}

function identification(find: (path: string) => Variable, id: string, model: string): readonly Mirror[] {
  return [
    mirror(find('Identification.Manufacturer'), DataType.LocalizedText, () => 'Nhịp simulator'),
    mirror(find('Identification.ProductInstanceUri'), DataType.String, () => `urn:nhip:simulator:${model}:${id}`),
    mirror(find('Identification.SerialNumber'), DataType.String, () => `${model}-${id}`),
  ];
}

function mirror(variable: Variable, dataType: DataType, read: Mirror['read']): Mirror {
  return { variable, dataType, read };
}

function typeOf(space: AddressSpace, name: string, namespaceIndex: number) {
  const type = space.findObjectType(name, namespaceIndex);
  if (type === null) throw new Error(`OPC UA type ${name} is missing: its node set was not loaded`);
  return type;
}

/** Finds a child by its path of names, whatever namespaces they are in. */
function finder(object: MachineObject): (path: string) => Variable {
  return (path) => {
    const found = path.split('.').reduce<MachineObject | null>((parent, name) => {
      const children = parent?.findReferencesExAsObject('Aggregates') ?? [];
      return (children.find((child) => child.browseName.name === name) ?? null) as MachineObject | null;
    }, object);
    if (found === null) throw new Error(`${object.browseName.name}: no node ${path}`);
    return found as unknown as Variable;
  };
}
