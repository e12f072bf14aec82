-- How many groups an official has created, with all devices together. Groups are never deleted, so it only rises.
CREATE TABLE messaging_creator (
    official       {bytes} PRIMARY KEY,
    groups_created BIGINT NOT NULL
);
INSERT INTO messaging_creator (official, groups_created)
    SELECT m.official, COUNT(*) FROM messaging_group g
    JOIN messaging_member m ON m.group_id = g.group_id AND m.device = g.creator
    GROUP BY m.official;
