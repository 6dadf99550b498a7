/**
 * TLS certificates of clients, by their thumbprint: a client that has one is good with one of them only. A token is good with the
 * certificate over which it was given (RFC 8705 §3).
 */
export const sql = `
CREATE TABLE client_certificate (
  client_id  text NOT NULL REFERENCES credential,
  thumbprint text NOT NULL,
  added_at   timestamptz NOT NULL,
  PRIMARY KEY (client_id, thumbprint)
);
CREATE INDEX client_certificate_thumbprint ON client_certificate (thumbprint);

ALTER TABLE access_token ADD COLUMN certificate text;
`;
