-- Private keys of the home network, under the vault's key: they open concealed identities (SUCI, TS 33.501 Annex C).
-- A retired key still opens for cards that have it; a deleted one never comes back under the same number.
CREATE TABLE identity_suci_keys (
    key_id     BIGINT PRIMARY KEY CHECK (key_id BETWEEN 1 AND 254),
    scheme     TEXT NOT NULL,
    sealed     {bytes} NOT NULL,
    public     {bytes} NOT NULL,
    made_at    BIGINT NOT NULL,
    retired_at BIGINT
);

-- How often a card's keys were used, ever, and how much of that the audit log has.
ALTER TABLE identity_sims ADD COLUMN vectors BIGINT NOT NULL DEFAULT 0;
ALTER TABLE identity_sims ADD COLUMN vectors_audited BIGINT NOT NULL DEFAULT 0;
ALTER TABLE identity_sims ADD COLUMN resynchronisations BIGINT NOT NULL DEFAULT 0;
ALTER TABLE identity_sims ADD COLUMN resynchronisations_audited BIGINT NOT NULL DEFAULT 0;
INSERT INTO identity_clocks (name, at) VALUES ('vectors', 0);

-- An official's cards, when the official is cut off; a card's sessions, when its phone leaves.
CREATE INDEX identity_sims_official ON identity_sims (official);
CREATE INDEX identity_sessions_sim ON identity_sessions (sim, ended_at);
