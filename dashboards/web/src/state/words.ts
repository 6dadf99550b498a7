import type { Look, Tone } from './look.ts';

/** Message key of a look's word. */
export function lookWord<L extends Look>(look: L): `state.${L}` {
  return `state.${look}`;
}

/** Message key of a colour's meaning. */
export function toneWord<T extends Tone>(tone: T): `tone.${T}` {
  return `tone.${tone}`;
}
