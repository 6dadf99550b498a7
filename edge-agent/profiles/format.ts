import { z } from 'zod';

/**
 * A device profile: what a kind of device can say, as data. One YAML file per profile beside this one; docs/device-profiles.md tells
 * how to write one. `generate.ts` checks the files and writes what the agent needs of them into `catalogue.gen.ts`: at run time no file
 * is read.
 */

const text = z.strictObject({
  vi: z.string().min(1).describe('Vietnamese.'),
  en: z.string().min(1).describe('English.'),
});

const from = z.record(z.string(), z.string().min(1)).default({}).describe('Where each source says so: its id, and the place in it.');

const source = z.strictObject({
  title: z.string().min(1).describe('Document, or project and file.'),
  by: z.string().min(1).describe('Who wrote it.'),
  licence: z.string().min(1).describe('Licence, or "all rights reserved": facts such as addresses are taken, texts are not.'),
  url: z.url().optional().describe('Where it can be read.'),
});

const limit = z.number().int().nonnegative().optional();

const connectionLimits = z.strictObject({
  maxWords: limit.describe('Most registers in one request.'),
  maxGapWords: limit.describe('Most unused registers that one request may read along.'),
});

const tag = z.looseObject({
  metric: z.string().min(1).max(256).describe('Name in the vocabulary of metrics.ts.'),
  from,
  checked: z.literal(1).optional().describe('1: a single source says so. Others have two or more.'),
});

export const profileFile = z.strictObject({
  id: z
    .string()
    .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/)
    .max(64)
    .describe('Name of the profile and of its file: vendor-model.'),
  version: z.number().int().min(1).describe('One higher with every change of what a device would report.'),
  title: text.describe('Name for people.'),
  manufacturer: z.string().min(1).describe('Who makes the devices.'),
  models: z.array(z.string().min(1)).min(1).describe('Devices that the sources are about.'),
  driver: z.string().min(1).describe('Driver that reads them.'),
  kind: z.string().min(1).describe('Kind of the device when its configuration names none.'),
  isTemplate: z.boolean().default(false).describe('Made to be adapted: there is no device of which it would be true as it is.'),
  base: z
    .strictObject({
      is: z
        .enum(['register', 'path'])
        .describe('A register number that is added to every address, or a path that is put before every node.'),
      meaning: text.describe('Where to find it.'),
      default: z
        .union([z.number().int().nonnegative(), z.string().min(1)])
        .optional()
        .describe('Taken when the device says none.'),
    })
    .optional()
    .describe('Addresses are relative: the device says where they begin. Without it they are fixed.'),
  notes: text.optional().describe('What must be known before it is used.'),
  device: z.record(z.string(), z.unknown()).default({}).describe('Settings of the device for its driver.'),
  connection: connectionLimits
    .default({})
    .describe('What the device can stand; the connection takes the smallest of its devices, unless it says otherwise.'),
  sources: z.record(z.string(), source).default({}).describe('What the profile was written from.'),
  tags: z.array(tag).min(1).describe('Tags as the driver takes them, each with its sources.'),
  derived: z.array(tag).default([]).describe('Derived tags; what they read they name with tag("…").'),
});
export type ProfileFile = z.infer<typeof profileFile>;

/** A tag or a derived tag as the configuration of a device has it. */
export interface ProfileTag {
  readonly metric: string;
  readonly [field: string]: unknown;
}

interface Text {
  readonly vi: string;
  readonly en: string;
}

/** What the agent has of a profile. */
export interface Profile {
  readonly id: string;
  readonly version: number;
  readonly title: Text;
  readonly manufacturer: string;
  readonly models: readonly string[];
  readonly driver: string;
  readonly kind: string;
  readonly isTemplate: boolean;
  readonly base?: { readonly is: 'register' | 'path'; readonly meaning: Text; readonly default?: number | string | undefined } | undefined;
  readonly notes?: Text | undefined;
  readonly device: Readonly<Record<string, unknown>>;
  readonly connection: Readonly<Record<string, number | undefined>>;
  readonly tags: readonly ProfileTag[];
  readonly derived: readonly ProfileTag[];
}

/** The profile without its sources. */
export function compileProfile({ sources: _, tags, derived, ...rest }: ProfileFile): Profile {
  const bare = ({ from: _from, checked: _checked, ...fields }: ProfileFile['tags'][number]): ProfileTag => fields;
  return { ...rest, tags: tags.map(bare), derived: derived.map(bare) };
}
