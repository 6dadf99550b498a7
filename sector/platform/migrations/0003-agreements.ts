/**
 * Agreements about sharing, which digest each version of a policy has, and what the intake compares later reports with.
 *
 * An agreement is never changed but for its end: revoked_at and revoked_by, once. sharing_policy is only inserted, in the transaction of
 * the report that binds it. report.amounts is JSON of a few numbers; null for reports that were stored before this step, whose body says
 * the same.
 */
export const sql = `
CREATE TABLE agreement (
  agreement_id  text PRIMARY KEY,
  enterprise_id text NOT NULL REFERENCES enterprise,
  products      text[] NOT NULL,
  purposes      text[] NOT NULL,
  reference     text NOT NULL,
  valid_from    timestamptz NOT NULL,
  valid_to      timestamptz,
  recorded_at   timestamptz NOT NULL,
  revoked_at    timestamptz,
  revoked_by    text
);
CREATE INDEX agreement_enterprise ON agreement (enterprise_id, agreement_id);

CREATE TABLE sharing_policy (
  enterprise_id text NOT NULL REFERENCES enterprise,
  policy_id     text NOT NULL,
  version       int NOT NULL,
  digest        text NOT NULL,
  leaf_index    bigint NOT NULL REFERENCES report,
  PRIMARY KEY (enterprise_id, policy_id, version)
);
INSERT INTO sharing_policy
SELECT DISTINCT ON (enterprise_id, s->>'policyId', (s->>'policyVersion')::int)
       enterprise_id, s->>'policyId', (s->>'policyVersion')::int, s->>'policyDigest', leaf_index
  FROM (SELECT enterprise_id, leaf_index, convert_from(body, 'UTF8')::jsonb->'sharing' AS s FROM report) AS named
 ORDER BY enterprise_id, s->>'policyId', (s->>'policyVersion')::int, leaf_index;

ALTER TABLE report ADD COLUMN amounts text;
`;
