-- Batches of new cards, by name. `answer` has the files for whoever makes the cards, with the secrets encrypted under a
-- transport key; it goes when somebody has said that they arrived. `request` is the hash of what was asked for.
CREATE TABLE identity_card_batches (
    name        TEXT PRIMARY KEY,
    request     {bytes} NOT NULL,
    answer      {bytes},
    made_at     BIGINT NOT NULL,
    received_at BIGINT
);
