/**
 * Tenants, credentials, reports, receipts, log.
 *
 * Bitemporal: valid_from/valid_to is the reported period, recorded_at/superseded_at when the platform knew it. Each commit of the intake
 * has a moment of its own (log_head.last_at), so that what was known at a moment is exact. Reports and nodes of the log are only
 * inserted; the one column that changes is superseded_at, once, from null.
 */
export const sql = `
CREATE TABLE platform_key (
  kid           text PRIMARY KEY,
  public_jwk    text NOT NULL,
  first_used_at timestamptz NOT NULL
);

CREATE TABLE enterprise (
  enterprise_id text PRIMARY KEY,
  name          text NOT NULL,
  created_at    timestamptz NOT NULL
);

CREATE TABLE establishment (
  enterprise_id    text NOT NULL REFERENCES enterprise,
  establishment_id text NOT NULL,
  name             text NOT NULL,
  created_at       timestamptz NOT NULL,
  PRIMARY KEY (enterprise_id, establishment_id)
);

CREATE TABLE enrolment (
  code_hash      bytea PRIMARY KEY,
  enterprise_id  text NOT NULL REFERENCES enterprise,
  key_valid_from timestamptz NOT NULL,
  created_at     timestamptz NOT NULL,
  expires_at     timestamptz NOT NULL,
  used_at        timestamptz
);

CREATE TABLE factory_key (
  kid           text PRIMARY KEY,
  enterprise_id text NOT NULL REFERENCES enterprise,
  public_jwk    text NOT NULL,
  valid_from    timestamptz NOT NULL,
  enrolled_at   timestamptz NOT NULL,
  revoked_at    timestamptz
);
CREATE INDEX factory_key_enterprise ON factory_key (enterprise_id);

CREATE TABLE credential (
  client_id     text PRIMARY KEY,
  enterprise_id text NOT NULL REFERENCES enterprise,
  name          text NOT NULL,
  secret_hash   bytea NOT NULL,
  scopes        text[] NOT NULL,
  created_at    timestamptz NOT NULL,
  revoked_at    timestamptz
);
CREATE INDEX credential_enterprise ON credential (enterprise_id);

CREATE TABLE access_token (
  token_hash bytea PRIMARY KEY,
  client_id  text NOT NULL REFERENCES credential,
  scopes     text[] NOT NULL,
  expires_at timestamptz NOT NULL
);
CREATE INDEX access_token_expiry ON access_token (expires_at);

CREATE TABLE report (
  leaf_index       bigint PRIMARY KEY,
  enterprise_id    text NOT NULL REFERENCES enterprise,
  establishment_id text NOT NULL,
  series_key       text NOT NULL,
  revision         int NOT NULL,
  report_id        uuid NOT NULL,
  digest           text NOT NULL UNIQUE,
  status           text NOT NULL,
  duration         text NOT NULL,
  valid_from       timestamptz NOT NULL,
  valid_to         timestamptz NOT NULL,
  recorded_at      timestamptz NOT NULL,
  superseded_at    timestamptz,
  kid              text NOT NULL REFERENCES factory_key,
  warnings         int NOT NULL,
  body             bytea NOT NULL,
  receipt          bytea NOT NULL,
  UNIQUE (series_key, revision),
  UNIQUE (enterprise_id, report_id),
  FOREIGN KEY (enterprise_id, establishment_id) REFERENCES establishment
);
CREATE UNIQUE INDEX report_current ON report (series_key) WHERE superseded_at IS NULL;
CREATE INDEX report_period ON report (enterprise_id, valid_from, leaf_index);

CREATE TABLE log_node (
  level smallint NOT NULL,
  idx   bigint NOT NULL,
  hash  bytea NOT NULL,
  PRIMARY KEY (level, idx)
);

CREATE TABLE log_head (
  one_row  boolean PRIMARY KEY DEFAULT true CHECK (one_row),
  size     bigint NOT NULL,
  frontier bytea[] NOT NULL,
  last_at  timestamptz NOT NULL
);
INSERT INTO log_head (size, frontier, last_at) VALUES (0, '{}', 'epoch');

CREATE TABLE quarantine (
  entry_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  enterprise_id text NOT NULL REFERENCES enterprise,
  digest        text NOT NULL,
  received_at   timestamptz NOT NULL,
  last_at       timestamptz NOT NULL,
  times         int NOT NULL DEFAULT 1,
  findings      text NOT NULL,
  body          bytea NOT NULL,
  UNIQUE (enterprise_id, digest)
);

CREATE TABLE access_log (
  entry_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  enterprise_id text NOT NULL REFERENCES enterprise,
  at            timestamptz NOT NULL,
  reader        text NOT NULL,
  role          text NOT NULL,
  purpose       text NOT NULL,
  action        text NOT NULL,
  object        text NOT NULL,
  row_count     int NOT NULL
);
CREATE INDEX access_log_enterprise ON access_log (enterprise_id, entry_id);
`;
