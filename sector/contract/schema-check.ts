import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { fullFormats } from 'ajv-formats/dist/formats.js';
import machineStatusSchema from './schemas/machine-status.v1.schema.json' with { type: 'json' };
import reportSchema from './schemas/production-report.v1.schema.json' with { type: 'json' };
import receiptSchema from './schemas/receipt.v1.schema.json' with { type: 'json' };
import policySchema from './schemas/sharing-policy.v1.schema.json' with { type: 'json' };

/** The schemas of the contract, compiled on first use. All errors are found, not just the first. */
export const schemas = { report: reportSchema, machineStatus: machineStatusSchema, receipt: receiptSchema, policy: policySchema } as const;

const ajv = new Ajv2020({
  allErrors: true,
  strict: true,
  // The conditions of a report speak of properties whose types stand elsewhere in the schema.
  strictTypes: false,
  strictRequired: false,
  formats: { uuid: fullFormats.uuid, 'date-time': fullFormats['date-time'] },
});

/** The errors of a value against a schema, none when it fits. */
export type SchemaCheck = (value: unknown) => readonly ErrorObject[];

/** A check that compiles its schema when it is first called. */
export function schemaCheck(schema: object): SchemaCheck {
  let validate: ValidateFunction | undefined;
  return (value) => {
    validate ??= ajv.compile(schema);
    return validate(value) ? [] : (validate.errors ?? []);
  };
}

export const checkReportSchema = schemaCheck(reportSchema);
export const checkMachineStatusSchema = schemaCheck(machineStatusSchema);
export const checkReceiptSchema = schemaCheck(receiptSchema);
export const checkPolicySchema = schemaCheck(policySchema);

/** A report before it is signed. */
export const checkUnsignedSchema = schemaCheck({
  ...reportSchema,
  $id: `${reportSchema.$id}:unsigned`,
  required: reportSchema.required.filter((key) => key !== 'signature'),
});

/** A report without sharing and signature, as the builder makes it and the policy filter leaves it. */
export const checkContentSchema = schemaCheck({
  ...reportSchema,
  $id: `${reportSchema.$id}:content`,
  required: reportSchema.required.filter((key) => key !== 'sharing' && key !== 'signature'),
});

/** Where an error is, as JSON Pointer: for a missing or unknown property, the property itself. */
export function errorPointer({ instancePath, keyword, params }: ErrorObject): string {
  const key: unknown =
    keyword === 'required' ? params.missingProperty : keyword === 'additionalProperties' ? params.additionalProperty : undefined;
  return typeof key === 'string' ? `${instancePath}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}` : instancePath;
}

/** What is wrong with a receipt, one English line each. */
export function receiptProblems(value: unknown): readonly string[] {
  return checkReceiptSchema(value).map((error) => `${errorPointer(error)} ${error.message ?? error.keyword}`);
}
