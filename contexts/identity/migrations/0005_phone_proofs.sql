-- When the card of a session had proven itself: earlier than the session when its phone answered for it (AKMA). None: when the
-- session began.
ALTER TABLE identity_sessions ADD COLUMN sim_proven_at BIGINT;
-- When the card's phone left, or the card was cut off, last: what a phone had from before proves nothing any more.
ALTER TABLE identity_sims ADD COLUMN left_at BIGINT NOT NULL DEFAULT 0;
