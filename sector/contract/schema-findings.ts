import type { ErrorObject } from 'ajv/dist/2020.js';
import { type Finding, finding, type Text } from './finding.ts';
import { errorPointer } from './schema-check.ts';

/** A hostile body can break a rule at every place; nobody reads more than this. */
const maxFindings = 100;

/** Errors of a schema in words, without the echoes that conditions make. */
export function schemaFindings(errors: readonly ErrorObject[]): Finding[] {
  return errors
    .filter(({ keyword }) => keyword !== 'if')
    .slice(0, maxFindings)
    .map((error) => finding('SCHEMA', errorPointer(error), textOf(error)));
}

function textOf({ keyword, params, message }: ErrorObject): Text {
  switch (keyword) {
    case 'required':
      return { vi: 'Thiếu trường bắt buộc', en: 'A required field is missing' };
    case 'additionalProperties':
      return { vi: 'Trường này không có trong hợp đồng dữ liệu: bỏ đi', en: 'The contract has no such field: take it out' };
    case 'false schema':
      return { vi: 'Không được có trường này ở đây', en: 'This field must not be here' };
    case 'enum':
      return { vi: `Phải là một trong: ${list(params.allowedValues)}`, en: `Must be one of: ${list(params.allowedValues)}` };
    case 'const':
      return { vi: `Phải là ${JSON.stringify(params.allowedValue)}`, en: `Must be ${JSON.stringify(params.allowedValue)}` };
    case 'type':
      return { vi: `Phải có kiểu ${params.type}`, en: `Must be of type ${params.type}` };
    case 'pattern':
    case 'format':
      return { vi: `Sai dạng: ${message}`, en: `Wrong form: ${message}` };
    case 'minimum':
    case 'maximum':
      return {
        vi: `Phải ${params.comparison === '>=' ? 'từ' : 'đến'} ${params.limit}`,
        en: `Must be ${params.comparison} ${params.limit}`,
      };
    case 'minItems':
    case 'maxItems':
      return {
        vi: `Phải có ${keyword === 'minItems' ? 'ít nhất' : 'nhiều nhất'} ${params.limit} phần tử`,
        en: `Must have at ${keyword === 'minItems' ? 'least' : 'most'} ${params.limit} elements`,
      };
    default:
      return { vi: `Không đúng lược đồ: ${message}`, en: `Does not fit the schema: ${message}` };
  }
}

function list(values: unknown): string {
  return Array.isArray(values) ? values.join(', ') : String(values);
}
