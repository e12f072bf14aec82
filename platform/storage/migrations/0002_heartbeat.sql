-- One row that health checks rewrite: only a commit proves that the disk still takes writes.
CREATE TABLE storage_heartbeat (
    one   BIGINT PRIMARY KEY CHECK (one = 1),
    beats BIGINT NOT NULL
);
INSERT INTO storage_heartbeat (one, beats) VALUES (1, 0);
