-- A phone may have several sessions to one data network: each has its row, by the identity that the phone gave it. Rows of
-- before have no such identity; a phone's address is known again with its next session.
DROP TABLE cellular_session;
CREATE TABLE cellular_session (
    imsi  TEXT NOT NULL,
    psi   BIGINT NOT NULL,
    dnn   TEXT NOT NULL,
    ipv4  TEXT,
    ipv6  TEXT,
    since BIGINT NOT NULL,
    PRIMARY KEY (imsi, psi)
);
CREATE INDEX cellular_session_ipv4 ON cellular_session (ipv4);
CREATE INDEX cellular_session_ipv6 ON cellular_session (ipv6);
