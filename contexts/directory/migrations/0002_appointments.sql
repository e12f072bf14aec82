-- What two administrators signed about posts, and took effect. Rows are never changed or deleted.
CREATE TABLE directory_appointment (
    id          {bytes} PRIMARY KEY,
    post        {bytes} NOT NULL REFERENCES directory_post (post),
    official    {bytes} NOT NULL REFERENCES directory_official (official),
    kind        TEXT NOT NULL,
    not_before  BIGINT NOT NULL,
    not_after   BIGINT NOT NULL,
    signed_at   BIGINT NOT NULL,
    executed_at BIGINT NOT NULL,
    statement   {bytes} NOT NULL
);
CREATE INDEX directory_appointment_post ON directory_appointment (post, signed_at);

-- The newest appointment to the post, and the one that opened a holding. Holdings from before appointments were signed
-- have none: their holders are shown no longer, and the next round of the expiry job closes them.
ALTER TABLE directory_post ADD COLUMN appointment {bytes} REFERENCES directory_appointment (id);
ALTER TABLE directory_holding ADD COLUMN appointment {bytes} REFERENCES directory_appointment (id);
