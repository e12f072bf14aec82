-- One file: sealed chunks of `chunk_size` bytes, the last one shorter. `complete` is 0 or 1. `access_hash` is the SHA-256
-- of what a downloader shows; it also makes announcing an upload idempotent.
CREATE TABLE files_file (
    file        {bytes} PRIMARY KEY,
    uploader    {bytes} NOT NULL,
    access_hash {bytes} NOT NULL,
    size        BIGINT NOT NULL,
    chunk_size  BIGINT NOT NULL,
    chunks      BIGINT NOT NULL,
    complete    BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    UNIQUE (uploader, access_hash)
);
CREATE INDEX files_file_expires ON files_file (expires_at);

-- A chunk whose blob is durable. The blob's name follows from file, number and hash.
CREATE TABLE files_chunk (
    file   {bytes} NOT NULL REFERENCES files_file (file),
    number BIGINT NOT NULL,
    size   BIGINT NOT NULL,
    sha256 {bytes} NOT NULL,
    PRIMARY KEY (file, number)
);
