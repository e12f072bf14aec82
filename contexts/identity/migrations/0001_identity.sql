-- Officials who can log in. The name of a person is not here: that is the directory's.
CREATE TABLE identity_accounts (
    official          {bytes} PRIMARY KEY,
    username          TEXT NOT NULL UNIQUE,
    revoked           BIGINT NOT NULL DEFAULT 0,
    suspended         BIGINT NOT NULL DEFAULT 0,
    password_file     {bytes},
    password_set_at   BIGINT,
    password_failures BIGINT NOT NULL DEFAULT 0,
    sim_failures      BIGINT NOT NULL DEFAULT 0,
    retry_at          BIGINT NOT NULL DEFAULT 0,
    created_at        BIGINT NOT NULL
);

-- Signed grants; each voucher works once.
CREATE TABLE identity_grants (
    voucher       {bytes} PRIMARY KEY,
    official      {bytes} NOT NULL,
    kind          TEXT NOT NULL,
    administrator BIGINT NOT NULL,
    signed        {bytes} NOT NULL,
    not_after     BIGINT NOT NULL,
    used_at       BIGINT,
    created_at    BIGINT NOT NULL
);
CREATE INDEX identity_grants_official ON identity_grants (official);

CREATE TABLE identity_devices (
    device              {bytes} PRIMARY KEY,
    official            {bytes} NOT NULL,
    sim                 {bytes} NOT NULL,
    device_key          {bytes} NOT NULL UNIQUE,
    status              TEXT NOT NULL,
    suspended           BIGINT NOT NULL DEFAULT 0,
    assurance           TEXT NOT NULL,
    channel             TEXT NOT NULL,
    label               TEXT NOT NULL,
    grant_signed        {bytes} NOT NULL,
    binding_signed      {bytes} NOT NULL,
    cross_signed        {bytes},
    attestation         {bytes} NOT NULL,
    mls_key             {bytes} NOT NULL,
    mls_key_signature   {bytes} NOT NULL,
    device_certificate  {bytes} NOT NULL,
    certificate_ends_at BIGINT NOT NULL,
    revocation          {bytes},
    enrolled_at         BIGINT NOT NULL,
    last_seen_at        BIGINT NOT NULL
);
CREATE INDEX identity_devices_official ON identity_devices (official);

-- `sealed` holds K and OPc or TOPc under the vault's key. `sqn_seq` is the newest number given
-- out, `sqn_offset` where the card's count stands against the clock; both are written before a challenge leaves.
CREATE TABLE identity_sims (
    sim         {bytes} PRIMARY KEY,
    iccid       TEXT NOT NULL UNIQUE,
    imsi        TEXT NOT NULL UNIQUE,
    algorithm   TEXT NOT NULL,
    sealed      {bytes} NOT NULL,
    official    {bytes},
    suspended   BIGINT NOT NULL DEFAULT 0,
    revoked     BIGINT NOT NULL DEFAULT 0,
    sqn_seq     BIGINT NOT NULL,
    sqn_offset  BIGINT NOT NULL,
    imported_at BIGINT NOT NULL
);

-- Refresh tokens are derived from `refresh_seed` with a key of the vault, so no row here is one.
CREATE TABLE identity_sessions (
    session            {bytes} PRIMARY KEY,
    login_id           {bytes} NOT NULL UNIQUE,
    official           {bytes} NOT NULL,
    device             {bytes} NOT NULL,
    sim                {bytes} NOT NULL,
    token_key          {bytes} NOT NULL,
    refresh_seed       {bytes} NOT NULL,
    refresh_generation BIGINT NOT NULL,
    rotated_at         BIGINT NOT NULL,
    authenticated_at   BIGINT NOT NULL,
    ends_at            BIGINT NOT NULL,
    ended_at           BIGINT,
    end_reason         TEXT
);
CREATE INDEX identity_sessions_official ON identity_sessions (official, ended_at);
CREATE INDEX identity_sessions_device ON identity_sessions (device, ended_at);
CREATE INDEX identity_sessions_ends ON identity_sessions (ends_at);

-- Steps of a login or enrolment that may happen once: `password`, `resync`.
CREATE TABLE identity_attempt_steps (
    attempt    {bytes} NOT NULL,
    step       TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (attempt, step)
);
CREATE INDEX identity_attempt_steps_expiry ON identity_attempt_steps (expires_at);

-- Nonces of certificate renewals, so that a recorded request is worth nothing.
CREATE TABLE identity_cert_nonces (
    device     {bytes} NOT NULL,
    nonce      {bytes} NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (device, nonce)
);
CREATE INDEX identity_cert_nonces_expiry ON identity_cert_nonces (expires_at);

CREATE TABLE identity_proposals (
    proposal    {bytes} PRIMARY KEY,
    kind        TEXT NOT NULL,
    status      TEXT NOT NULL,
    proposed_by {bytes} NOT NULL,
    proposed_at BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    closed_at   BIGINT
);
CREATE INDEX identity_proposals_status ON identity_proposals (status, expires_at);

CREATE TABLE identity_proposal_statements (
    proposal {bytes} NOT NULL,
    position BIGINT NOT NULL,
    signed   {bytes} NOT NULL,
    PRIMARY KEY (proposal, position)
);

CREATE TABLE identity_proposal_signers (
    proposal {bytes} NOT NULL,
    official {bytes} NOT NULL,
    device   {bytes} NOT NULL,
    at       BIGINT NOT NULL,
    PRIMARY KEY (proposal, official)
);

CREATE TABLE identity_roles (
    official   {bytes} NOT NULL,
    role       TEXT NOT NULL,
    granted_at BIGINT NOT NULL,
    PRIMARY KEY (official, role)
);

-- Ids of statements already carried out: a revocation or role change works once.
CREATE TABLE identity_statements (
    id     {bytes} PRIMARY KEY,
    signed {bytes} NOT NULL,
    at     BIGINT NOT NULL
);

-- What every node must know at once. `seq` rises in commit order (the counter row is locked until commit).
CREATE TABLE identity_revocations (
    seq       BIGINT PRIMARY KEY,
    kind      TEXT NOT NULL,
    subject   {bytes} NOT NULL,
    device    {bytes},
    statement {bytes},
    at        BIGINT NOT NULL
);
CREATE INDEX identity_revocations_at ON identity_revocations (at);

CREATE TABLE identity_revocation_counter (
    one  BIGINT PRIMARY KEY CHECK (one = 1),
    last BIGINT NOT NULL
);
INSERT INTO identity_revocation_counter (one, last) VALUES (1, 0);

-- The latest time this installation has seen: a clock set back would bring ended tokens back to life.
CREATE TABLE identity_clocks (
    name TEXT PRIMARY KEY,
    at   BIGINT NOT NULL
);
INSERT INTO identity_clocks (name, at) VALUES ('server', 0);
