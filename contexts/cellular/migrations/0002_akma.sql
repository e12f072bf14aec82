-- K_AKMA of each card's latest primary authentication, sealed (TS 33.535). The name is a pseudonym: it opens nothing.
CREATE TABLE cellular_akma (
    imsi    TEXT PRIMARY KEY,
    a_tid   {bytes} NOT NULL UNIQUE,
    sealed  {bytes} NOT NULL,
    ends_at BIGINT NOT NULL
);
CREATE INDEX cellular_akma_ends ON cellular_akma (ends_at);
