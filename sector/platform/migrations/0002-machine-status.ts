/**
 * States of single machines, which arrive only with consent: kept by their event for a stated time, then deleted. How many arrived on a day
 * stays longer, and tells nothing of a machine.
 */
export const sql = `
CREATE TABLE machine_status (
  entry_id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  enterprise_id    text NOT NULL REFERENCES enterprise,
  establishment_id text NOT NULL,
  event_id         text NOT NULL,
  machine_ref      text NOT NULL,
  machine_class    text NOT NULL,
  state            text NOT NULL,
  since            timestamptz NOT NULL,
  consent_id       text NOT NULL,
  received_at      timestamptz NOT NULL,
  data             text NOT NULL,
  UNIQUE (enterprise_id, establishment_id, event_id),
  FOREIGN KEY (enterprise_id, establishment_id) REFERENCES establishment
);
CREATE INDEX machine_status_enterprise ON machine_status (enterprise_id, entry_id);
CREATE INDEX machine_status_since ON machine_status (since);

CREATE TABLE machine_status_day (
  enterprise_id    text NOT NULL,
  establishment_id text NOT NULL,
  day              text NOT NULL,
  events           int NOT NULL,
  last_at          timestamptz NOT NULL,
  PRIMARY KEY (enterprise_id, day, establishment_id),
  FOREIGN KEY (enterprise_id, establishment_id) REFERENCES establishment
);
`;
