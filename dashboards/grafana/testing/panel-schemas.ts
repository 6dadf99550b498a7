import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';

const folder = join(import.meta.dirname, '../schemas');
const panelTypes = ['stat', 'timeseries', 'state-timeline', 'table', 'bargauge', 'text'] as const;

interface Schema {
  readonly definitions: Readonly<Record<string, { readonly properties?: Readonly<Record<string, object>> }>>;
}

/** The schemas say "object" where the SDK's types, and Grafana, take any value: the name of a field, the text of a unit. */
const anyValue = [
  ['MatcherConfig', 'options'],
  ['DynamicConfigValue', 'value'],
] as const;

/** Says what is wrong with a value by Grafana's own JSON schemas; empty when nothing is. */
export interface GrafanaSchemas {
  dashboard(value: unknown): readonly string[];
  alertRule(value: unknown): readonly string[];
  /** `options` and `fieldConfig.defaults.custom`, which the dashboard's schema leaves open. Unknown panel types are wrong. */
  panel(value: {
    readonly type: string;
    readonly options?: unknown;
    readonly fieldConfig?: { readonly defaults: { readonly custom?: unknown } };
  }): readonly string[];
}

export function readSchemas(): GrafanaSchemas {
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
  const validators = new Map<string, ValidateFunction>();

  function validator(file: string, definition: string): ValidateFunction | undefined {
    const key = `${file}#${definition}`;
    const known = validators.get(key);
    if (known !== undefined) return known;
    const schema = JSON.parse(readFileSync(join(folder, `${file}.schema.json`), 'utf8')) as Schema;
    for (const [name, property] of anyValue) {
      const open = schema.definitions[name]?.properties?.[property];
      if (open !== undefined) Reflect.deleteProperty(open, 'type');
    }
    if (schema.definitions[definition] === undefined) return undefined;
    const made = ajv.compile({ definitions: schema.definitions, $ref: `#/definitions/${definition}` });
    validators.set(key, made);
    return made;
  }

  function problems(file: string, definition: string, value: unknown): readonly string[] {
    const validate = validator(file, definition);
    if (validate === undefined || validate(value) === true) return [];
    return (validate.errors ?? []).map(({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`);
  }

  return {
    dashboard: (value) => problems('dashboard', 'Dashboard', value),
    alertRule: (value) => problems('alerting', 'Rule', value),
    panel({ type, options = {}, fieldConfig }) {
      if (!panelTypes.some((known) => known === type)) return [`the panel type ${type} is not one of ${panelTypes.join(', ')}`];
      const file = type.replace('-', '');
      return [...problems(file, 'Options', options), ...problems(file, 'FieldConfig', fieldConfig?.defaults.custom ?? {})];
    },
  };
}
