-- Changes of profiles in the order of their commits (the counter's row is locked until then), for the node that runs the core.
CREATE TABLE cellular_profile_change (
    one    BIGINT PRIMARY KEY,
    number BIGINT NOT NULL
);
INSERT INTO cellular_profile_change (one, number) VALUES (1, 1);
ALTER TABLE cellular_subscriber ADD COLUMN change BIGINT NOT NULL DEFAULT 1;
CREATE INDEX cellular_subscriber_change ON cellular_subscriber (change);
