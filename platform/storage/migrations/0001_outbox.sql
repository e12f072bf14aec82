-- Transactional outbox: facts for other contexts, written in the transaction that made them true.
CREATE TABLE outbox (
    id         BIGINT PRIMARY KEY,
    context    TEXT NOT NULL,
    kind       TEXT NOT NULL,
    payload    TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

-- Locking this row gives ids in commit order: a reader that has seen id n has seen everything below n.
CREATE TABLE outbox_counter (
    one  BIGINT PRIMARY KEY CHECK (one = 1),
    last BIGINT NOT NULL
);
INSERT INTO outbox_counter (one, last) VALUES (1, 0);

CREATE TABLE outbox_cursor (
    consumer TEXT PRIMARY KEY,
    position BIGINT NOT NULL
);
