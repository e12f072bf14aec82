-- Which node runs the core: one row. A beat is a sign of life; every transaction of a core names its epoch.
CREATE TABLE cellular_lease (
    one    BIGINT PRIMARY KEY CHECK (one = 1),
    epoch  BIGINT NOT NULL,
    beat   BIGINT NOT NULL,
    holder TEXT
);
INSERT INTO cellular_lease (one, epoch, beat, holder) VALUES (1, 0, 0, NULL);
