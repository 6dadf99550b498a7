import type { PlantModel } from '@nhip/core/wire/plant';
import type { Language } from './language.ts';

/** The lines of a plant model as values of the variable `line`. */
export interface PlantLines {
  /** Options of a custom variable: `name : value, …`. */
  query(language: Language): string;
}

export function plantLines(plant: PlantModel): PlantLines {
  return {
    query: (language) =>
      plant.lines
        .filter(({ machines }) => machines.length > 0)
        .map(({ name, machines }) => `${escaped(name[language])} : ${machines.map(inRegex).join('|')}`)
        .join(', '),
  };
}

/** A comma would begin the next option, a colon between spaces the value. */
function escaped(name: string): string {
  return name.replaceAll(',', '\\,').replaceAll(' : ', ' – ');
}

/** As InfluxQL reads it between slashes. A comma cannot be in an option's value: any character takes its place. */
function inRegex(machine: string): string {
  return machine.replace(/[\\^$*+?.()|[\]{}/]/g, '\\$&').replaceAll(',', '.');
}
