-- Traces that go on: the audit log has to learn of the end of one whose core was killed. What was written down is in memory only.
CREATE TABLE cellular_trace (
    trace {bytes} PRIMARY KEY,
    imsi  TEXT NOT NULL
);
