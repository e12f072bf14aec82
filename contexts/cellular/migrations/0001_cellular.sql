-- What operators decided: one document (contract::cellular::CellularNetwork as JSON).
CREATE TABLE cellular_network (
    one        BIGINT PRIMARY KEY CHECK (one = 1),
    version    BIGINT NOT NULL,
    document   TEXT NOT NULL,
    changed_at BIGINT NOT NULL
);

-- Cards that may do something else than every card (contract::cellular::CellularProfile as JSON).
CREATE TABLE cellular_subscriber (
    imsi       TEXT PRIMARY KEY,
    profile    TEXT NOT NULL,
    changed_at BIGINT NOT NULL
);

-- Contexts of registered phones with their keys, sealed; what a restart needs.
CREATE TABLE cellular_ue (
    imsi    TEXT PRIMARY KEY,
    tmsi    BIGINT NOT NULL,
    sealed  {bytes} NOT NULL,
    kept_at BIGINT NOT NULL
);

-- Registered phones, for whoever asks without asking the core: context for alarms and displays, never a proof.
CREATE TABLE cellular_phone (
    imsi          TEXT PRIMARY KEY,
    pei           TEXT,
    cell          BIGINT NOT NULL,
    tac           BIGINT NOT NULL,
    registered_at BIGINT NOT NULL,
    seen_at       BIGINT NOT NULL
);

-- Their sessions: which address is whose now.
CREATE TABLE cellular_session (
    imsi  TEXT NOT NULL,
    dnn   TEXT NOT NULL,
    ipv4  TEXT,
    ipv6  TEXT,
    since BIGINT NOT NULL,
    PRIMARY KEY (imsi, dnn)
);
CREATE INDEX cellular_session_ipv4 ON cellular_session (ipv4);
CREATE INDEX cellular_session_ipv6 ON cellular_session (ipv6);

-- Alarms with the fields of TS 28.532. Not cleared: cleared_at is NULL.
CREATE TABLE cellular_alarm (
    alarm            {bytes} PRIMARY KEY,
    kind             TEXT NOT NULL,
    object           TEXT NOT NULL,
    specific_problem TEXT NOT NULL,
    raised_at        BIGINT NOT NULL,
    changed_at       BIGINT NOT NULL,
    cleared_at       BIGINT,
    seen             BIGINT NOT NULL
);
CREATE INDEX cellular_alarm_raised ON cellular_alarm (raised_at);

-- Cards that were cut off and that the core has still to detach; a row goes when that is durable.
CREATE TABLE cellular_cut (
    imsi TEXT PRIMARY KEY,
    at   BIGINT NOT NULL
);
