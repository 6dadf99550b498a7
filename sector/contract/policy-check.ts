import { millionths } from './decimal.ts';
import { covers, segmentsOf } from './pointer.ts';
import type { SharedProduct, SharingPolicy, Transform } from './policy.ts';
import { schemas } from './schema-check.ts';
import { leafNodes, resolved, type SchemaNode, schemaAt } from './schema-path.ts';

const contractSchemas: Readonly<Record<SharedProduct['contract'], SchemaNode>> = {
  'vn.sector.production-report': schemas.report as SchemaNode,
  'vn.sector.machine-status': schemas.machineStatus as SchemaNode,
};

/** Parts without which there is no report at all: they always leave and cannot be excluded. */
export const alwaysSent: Readonly<Record<SharedProduct['contract'], readonly string[]>> = {
  'vn.sector.production-report': [
    '/contract',
    '/contractVersion',
    '/reportId',
    '/revision',
    '/supersedes',
    '/revisionReason',
    '/status',
    '/issuedAt',
    '/reporter/enterpriseId',
    '/reporter/establishmentId',
    '/reporter/provinceCode',
    '/reporter/provinceScheme',
    '/activity',
    '/period',
  ],
  'vn.sector.machine-status': ['/machineRef', '/machineClass', '/state', '/since', '/seq', '/consentId'],
};

/** Added after the filter, or written by it: not for a policy to name. */
const notForPolicies = ['/sharing', '/signature'];
const measuredParts = ['coverage', 'machines', 'production', 'energy'];
const codePaths: readonly string[] = ['/production/output/*/productCode', '/activity/code'];

/** What is wrong with a policy that fits its schema, one English line each. */
export function policyProblems(policy: SharingPolicy): string[] {
  const problems: string[] = [];
  const { approvers, approvalsNeeded } = policy.owner;
  if (approvalsNeeded > approvers.length)
    problems.push(`/owner/approvalsNeeded: ${approvalsNeeded}, but there are ${approvers.length} approvers`);
  if (policy.validTo !== undefined && Date.parse(policy.validTo) <= Date.parse(policy.validFrom))
    problems.push('/validTo: not after validFrom');
  problems.push(...twice(policy.recipients.map(({ id }) => id)).map((id) => `/recipients: "${id}" is there twice`));
  for (const [r, { endpoint, legalBasis, agreementId, products }] of policy.recipients.entries()) {
    const at = `/recipients/${r}`;
    if (endpoint.adapter === 'https' && endpoint.url === undefined) problems.push(`${at}/endpoint/url: missing for adapter https`);
    if (legalBasis === 'contract' && agreementId === undefined) problems.push(`${at}/agreementId: missing for legalBasis contract`);
    problems.push(...twice(products.map(({ contract }) => contract)).map((name) => `${at}/products: ${name} is there twice`));
    for (const [p, product] of products.entries()) {
      problems.push(...productProblems(product).map((problem) => `${at}/products/${p}${problem}`));
    }
  }
  return problems;
}

function productProblems(product: SharedProduct): string[] {
  const { contract, include = [], exclude = [], transform = [] } = product;
  const schema = contractSchemas[contract];
  const places = [
    ...include.map((path, index) => ({ path, at: `/include/${index}` })),
    ...exclude.map((path, index) => ({ path, at: `/exclude/${index}` })),
    ...transform.map(({ path }, index) => ({ path, at: `/transform/${index}/path` })),
  ];
  const problems = places.flatMap(({ path, at }) => {
    if (schemaAt(schema, path) === undefined) return [`${at}: ${contract} has no ${path} (lists are entered by *)`];
    return notForPolicies.some((own) => touches(own, path)) ? [`${at}: ${path} is not for a policy to choose`] : [];
  });
  if (problems.length > 0) return problems;
  const gone = [
    ...exclude.map((path, index) => ({ path, at: `/exclude/${index}` })),
    ...transform.flatMap(({ op, path }, index) => (op === 'drop' ? [{ path, at: `/transform/${index}/path` }] : [])),
  ];
  for (const { path, at } of gone) {
    const needed = alwaysSent[contract].find((own) => touches(own, path));
    if (needed !== undefined) problems.push(`${at}: a report cannot be without ${needed}`);
    if (touches('/quality', path)) problems.push(`${at}: leave ${path} out of include instead; the filter's own flags stand there`);
  }
  return [...problems, ...transformProblems(contract, schema, transform)];
}

function transformProblems(contract: SharedProduct['contract'], schema: SchemaNode, transforms: readonly Transform[]): string[] {
  const problems = transforms.flatMap((transform, index) => {
    const problem = transform.op === 'drop' ? undefined : transformProblem(contract, schema, transform);
    return problem === undefined ? [] : [`/transform/${index}: ${problem}`];
  });
  for (const [index, { op, path }] of transforms.entries()) {
    if (op === 'drop') continue;
    const earlier = transforms.slice(0, index).findIndex((other) => other.op !== 'drop' && touches(other.path, path));
    if (earlier >= 0) problems.push(`/transform/${index}: ${path} is changed by /transform/${earlier} already`);
  }
  return problems;
}

function transformProblem(
  contract: SharedProduct['contract'],
  schema: SchemaNode,
  transform: Exclude<Transform, { op: 'drop' }>,
): string | undefined {
  const { path } = transform;
  if (contract !== 'vn.sector.production-report') return `only drop is possible in ${contract}`;
  if (transform.op === 'code_level') {
    if (!codePaths.includes(path)) return `code_level is for ${codePaths.join(' and ')}`;
    return path === '/activity/code' && transform.arg < 4 ? 'the contract asks for at least four digits of the activity' : undefined;
  }
  const numbers = measuredParts.includes(segmentsOf(path)[0] ?? '') ? leafNodes(schema, schemaAt(schema, path) ?? {}).filter(isNumber) : [];
  if (numbers.length === 0) return `${path} has no numbers to ${transform.op}`;
  if (transform.op === 'round') return undefined;
  const width = millionths(transform.arg);
  if (width === 0n) return 'a bucket needs a width above 0';
  return numbers.some(({ type }) => type === 'integer') && width % 1_000_000n !== 0n
    ? `${path} has whole numbers: the width must be whole`
    : undefined;
}

/** Whether a node is a number of the contract: an integer, or decimal text. */
export function isNumber(node: SchemaNode): boolean {
  const { type, pattern } = resolved(schemas.report as SchemaNode, node);
  return (
    type === 'integer' ||
    (type === 'string' && (pattern === schemas.report.$defs.decimal.pattern || pattern === schemas.report.$defs.ratio.pattern))
  );
}

/** Whether one of two pointers contains the other. */
function touches(a: string, b: string): boolean {
  const [first, second] = [segmentsOf(a), segmentsOf(b)];
  return covers(first, second) || covers(second, first);
}

function twice(names: readonly string[]): string[] {
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];
}
