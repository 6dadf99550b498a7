import type { KpiScope } from '@nhip/core/kpi/answers';
import type { MachineView } from '@nhip/core/wire/live';
import type { PlantLine, PlantModel } from '@nhip/core/wire/plant';
import type { MachineId } from '@nhip/core/wire/sample';

/** A machine or a meter of a scope. */
export interface Member {
  readonly machine: MachineId;
  readonly role: 'machine' | 'meter';
  /** Its pieces are those of its line. */
  readonly isOutput: boolean;
}

/** A scope with what it is made of. */
export interface ScopeMembers {
  readonly scope: KpiScope;
  /** Machines of a line, or the one machine. */
  readonly members: readonly Member[];
  /** Meters that measure the whole of it: they replace what is measured below. */
  readonly meters: readonly Member[];
  /** Lines of a site, machines of a line. */
  readonly children: readonly ScopeMembers[];
}

export interface ScopesDeps {
  readonly plant: PlantModel | null;
  /** Machines that were heard of. */
  machines(): readonly MachineView[];
}

/** Finds `site`, `line:<id>` and `machine:<id>`; undefined: there is none. */
export function createScopes({ plant, machines }: ScopesDeps): (text: string) => ScopeMembers | undefined {
  const inLines = new Set(plant?.lines.flatMap((line) => line.machines));

  /** Names that machines say of themselves. */
  function saidNames(): ReadonlyMap<string, string> {
    return new Map(machines().map(({ id, name }) => [id, name]));
  }

  function site(): ScopeMembers {
    const names = saidNames();
    const lines = linesOf(plant, machines(), inLines);
    const name = plant?.site ?? { vi: '', en: '' };
    return {
      scope: { kind: 'site', id: 'site', name },
      members: [],
      meters: metersOf(plant, 'all'),
      children: lines.map((line) => lineScope(line, names)),
    };
  }

  function lineScope(line: PlantLine, names: ReadonlyMap<string, string>): ScopeMembers {
    const ids = line.machines.filter((id) => roleOf(plant, id) === 'machine');
    const outputs = line.outputs ?? ids.slice(-1);
    const members = ids.map((machine) => ({ machine, role: 'machine' as const, isOutput: outputs.includes(machine) }));
    return {
      scope: { kind: 'line', id: line.id, name: line.name },
      members,
      meters: metersOf(plant, line.id),
      children: members.map(({ machine }) => machineScope(machine, names)),
    };
  }

  function machineScope(machine: MachineId, names: ReadonlyMap<string, string>): ScopeMembers {
    const known = names.get(machine) ?? machine.slice(machine.lastIndexOf('/') + 1);
    const name = plant?.machines[machine]?.name ?? { vi: known, en: known };
    const members = [{ machine, role: roleOf(plant, machine), isOutput: true }];
    return { scope: { kind: 'machine', id: machine, name }, members, meters: [], children: [] };
  }

  return (text) => {
    if (text === 'site') return site();
    const [kind, id] = [text.slice(0, text.indexOf(':')), text.slice(text.indexOf(':') + 1)];
    if (kind === 'line') {
      const line = linesOf(plant, machines(), inLines).find((each) => each.id === id);
      return line === undefined ? undefined : lineScope(line, saidNames());
    }
    if (kind !== 'machine') return undefined;
    const isKnown = plant?.machines[id] !== undefined || machines().some((machine) => machine.id === id) || inLines.has(id);
    return isKnown ? machineScope(id, saidNames()) : undefined;
  };
}

/** Every machine and meter below a scope, once. */
export function allMembers({ members, meters, children }: ScopeMembers): readonly Member[] {
  const found = new Map<string, Member>();
  for (const member of [...members, ...meters, ...children.flatMap(allMembers)]) {
    if (!found.has(member.machine)) found.set(member.machine, member);
  }
  return [...found.values()];
}

/** Lines of the plant model; machines that it does not know make up lines by what they say of themselves, each one an output. */
function linesOf(plant: PlantModel | null, machines: readonly MachineView[], inLines: ReadonlySet<string>): readonly PlantLine[] {
  const lines = (plant?.lines ?? []).filter((line) => line.machines.some((id) => roleOf(plant, id) === 'machine'));
  const others = new Map<string, MachineId[]>();
  for (const { id, line } of machines) {
    if (inLines.has(id) || roleOf(plant, id) === 'meter') continue;
    const known = others.get(line);
    if (known === undefined) others.set(line, [id]);
    else known.push(id);
  }
  const known = new Set(lines.map(({ id }) => id));
  const more = [...others].map(([line, ids]) => {
    const id = known.has(line) || line === '' ? `${line}*` : line;
    return { id, name: { vi: id, en: id }, machines: ids, outputs: ids };
  });
  return [...lines, ...more];
}

function roleOf(plant: PlantModel | null, id: MachineId): 'machine' | 'meter' {
  return plant?.machines[id]?.role ?? 'machine';
}

function metersOf(plant: PlantModel | null, measures: string): readonly Member[] {
  return Object.entries(plant?.machines ?? {}).flatMap(([machine, model]) =>
    model.role === 'meter' && model.measures === measures ? [{ machine, role: 'meter' as const, isOutput: false }] : [],
  );
}
