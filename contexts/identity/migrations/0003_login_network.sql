-- The phone behind whose address a session began: whether it fits the card, and what equipment it claimed to be. Context only.
ALTER TABLE identity_sessions ADD COLUMN network TEXT;
ALTER TABLE identity_sessions ADD COLUMN equipment TEXT;
