import type { LocalName, MachineView, PlantMachineView, PlantView } from '@nhip/core/wire/live';
import { searchable } from '../i18n/format.ts';
import { lacksReason, lookOf, severity, toneOf } from '../state/look.ts';

type Seen = Pick<MachineView, 'id' | 'name' | 'kind' | 'line' | 'state' | 'reason' | 'connection' | 'countGood' | 'powerKw' | 'alarms'> & {
  readonly plan?: PlantMachineView | null;
};

export const filters = ['all', 'attention', 'noReason', 'alarm'] as const;
export type Filter = (typeof filters)[number];
export const sorts = ['layout', 'worst'] as const;
export type Sort = (typeof sorts)[number];

export interface Wish {
  readonly sort: Sort;
  readonly filter: Filter;
  /** Words that the name, kind or id must contain, without regard to accents and case. */
  readonly search: string;
}

/** A heading and its tiles. `name` is null for a group that the plant model does not name. */
export interface Group<M> {
  readonly id: string;
  readonly kind: 'line' | 'other' | 'worst';
  readonly name: LocalName | null;
  readonly machines: readonly M[];
}

export function readWish(query: URLSearchParams): Wish {
  const [sort, filter] = [query.get('sort'), query.get('show')];
  return {
    sort: sorts.find((known) => known === sort) ?? 'layout',
    filter: filters.find((known) => known === filter) ?? 'all',
    search: query.get('q') ?? '',
  };
}

/** Machines in the order of the plant's lines (or by need), without those that the wish leaves out; empty groups are dropped. */
export function arrange<M extends Seen>(plant: PlantView | null, machines: readonly M[], wish: Wish): Group<M>[] {
  const kept = machines.filter((machine) => passes(machine, wish));
  if (wish.sort === 'worst') {
    const need = (machine: M): number => severity(lookOf(machine), machine.reason, machine.alarms.length);
    const sorted = [...kept].sort((a, b) => need(b) - need(a) || byName(a, b));
    return sorted.length === 0 ? [] : [{ id: 'worst', kind: 'worst', name: null, machines: sorted }];
  }
  const lines = plant?.lines ?? [];
  const left = new Set(kept);
  const take = (wanted: (machine: M) => boolean): M[] => {
    const taken = [...left].filter(wanted);
    for (const machine of taken) left.delete(machine);
    return taken;
  };
  const groups: Group<M>[] = lines.map((line) => {
    const place = new Map(line.machines.map((id, index) => [id, index]));
    const found = take((machine) => place.has(machine.id) || machine.line === line.id);
    const rank = (machine: M): number => place.get(machine.id) ?? place.size;
    return { id: line.id, kind: 'line', name: line.name, machines: found.sort((a, b) => rank(a) - rank(b) || byName(a, b)) };
  });
  for (const id of [...new Set([...left].map((machine) => machine.line))].filter((line) => line !== '').sort()) {
    groups.push({ id, kind: 'line', name: { vi: id, en: id }, machines: take((machine) => machine.line === id).sort(byName) });
  }
  groups.push({ id: '', kind: 'other', name: null, machines: [...left].sort(byName) });
  return groups.filter((group) => group.machines.length > 0);
}

function passes(machine: Seen, wish: Wish): boolean {
  const look = lookOf(machine);
  if (wish.filter === 'noReason' && !lacksReason(look, machine.reason)) return false;
  if (wish.filter === 'alarm' && machine.alarms.length === 0) return false;
  if (wish.filter === 'attention') {
    const lost = machine.connection !== 'online';
    if (!lost && toneOf[look] !== 'down' && toneOf[look] !== 'wait' && machine.alarms.length === 0) return false;
  }
  const { plan } = machine;
  const planned = plan ? `${plan.name.vi} ${plan.name.en} ${plan.kind.vi} ${plan.kind.en}` : '';
  const text = searchable(`${machine.name} ${machine.kind} ${machine.id} ${planned}`);
  return searchable(wish.search)
    .split(/\s+/)
    .every((word) => text.includes(word));
}

function byName(a: Seen, b: Seen): number {
  return a.name.localeCompare(b.name, 'vi', { numeric: true }) || a.id.localeCompare(b.id);
}
