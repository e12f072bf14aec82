-- Ministry, division, wing, section. `parent_key` is the parent's id, or empty for a ministry: NULLs would
-- never collide in the unique index.
CREATE TABLE directory_unit (
    unit       {bytes} PRIMARY KEY,
    parent     {bytes} REFERENCES directory_unit (unit),
    parent_key {bytes} NOT NULL,
    kind       BIGINT NOT NULL,
    name_en    TEXT NOT NULL,
    name_ur    TEXT NOT NULL,
    name_key   TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (parent_key, name_key)
);

CREATE TABLE directory_post (
    post       {bytes} PRIMARY KEY,
    unit       {bytes} NOT NULL REFERENCES directory_unit (unit),
    title_en   TEXT NOT NULL,
    title_ur   TEXT NOT NULL,
    grade      BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX directory_post_unit ON directory_post (unit, grade);

CREATE TABLE directory_official (
    official   {bytes} PRIMARY KEY,
    username   TEXT NOT NULL UNIQUE,
    name_en    TEXT NOT NULL,
    name_ur    TEXT NOT NULL,
    rank_en    TEXT NOT NULL,
    rank_ur    TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

-- Who held which post, from when to when; `number` counts from 1 for each post. Rows are closed, never deleted.
CREATE TABLE directory_holding (
    post     {bytes} NOT NULL REFERENCES directory_post (post),
    number   BIGINT NOT NULL,
    official {bytes} NOT NULL REFERENCES directory_official (official),
    since    BIGINT NOT NULL,
    until    BIGINT,
    PRIMARY KEY (post, number)
);
CREATE UNIQUE INDEX directory_holding_current ON directory_holding (post) WHERE until IS NULL;
CREATE INDEX directory_holding_official ON directory_holding (official) WHERE until IS NULL;

-- What a search looks at: texts folded by `model::search`, each between line breaks. `who` has the person's
-- own texts, `what` those of posts and units. `sort_key` is bytes so that both engines order it alike.
CREATE TABLE directory_search (
    official {bytes} PRIMARY KEY REFERENCES directory_official (official),
    who      TEXT NOT NULL,
    what     TEXT NOT NULL,
    grade    BIGINT NOT NULL,
    sort_key {bytes} NOT NULL
);
