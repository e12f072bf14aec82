-- One conversation: the hot row, locked by every append. `closed` is 0 or 1; a closed group takes nothing more.
CREATE TABLE messaging_group (
    group_id     {bytes} PRIMARY KEY,
    creator      {bytes} NOT NULL,
    fingerprint  {bytes} NOT NULL,
    created_at   BIGINT NOT NULL,
    epoch        BIGINT NOT NULL,
    head_seq     BIGINT NOT NULL,
    head_hash    {bytes} NOT NULL,
    closed       BIGINT NOT NULL DEFAULT 0,
    quarantined  {bytes},
    successor    {bytes}
);

-- The public MLS state of the current epoch; apart, so that an append does not rewrite it. `version` rises with every
-- write, so that a node notices when its copy in memory is old.
CREATE TABLE messaging_state (
    group_id     {bytes} PRIMARY KEY REFERENCES messaging_group (group_id),
    epoch        BIGINT NOT NULL,
    version      BIGINT NOT NULL,
    group_info   {bytes} NOT NULL,
    ratchet_tree {bytes} NOT NULL,
    mls          {bytes} NOT NULL
);

-- The log: gapless, append-only, chained.
CREATE TABLE messaging_log (
    group_id   {bytes} NOT NULL REFERENCES messaging_group (group_id),
    seq        BIGINT NOT NULL,
    epoch      BIGINT NOT NULL,
    kind       BIGINT NOT NULL,
    message_id {bytes} NOT NULL,
    sender     {bytes} NOT NULL,
    at         BIGINT NOT NULL,
    mls        {bytes} NOT NULL,
    log_hash   {bytes} NOT NULL,
    PRIMARY KEY (group_id, seq),
    UNIQUE (group_id, message_id)
);

-- The tree that a Welcome of an epoch needs, until its joiners have had time to fetch it.
CREATE TABLE messaging_epoch_tree (
    group_id     {bytes} NOT NULL REFERENCES messaging_group (group_id),
    epoch        BIGINT NOT NULL,
    seq          BIGINT NOT NULL,
    log_hash     {bytes} NOT NULL,
    ratchet_tree {bytes} NOT NULL,
    at           BIGINT NOT NULL,
    PRIMARY KEY (group_id, epoch)
);

-- A device's part in a group: it is shown entries above from_seq, up to left_seq; acked is stored on the device.
CREATE TABLE messaging_member (
    group_id   {bytes} NOT NULL REFERENCES messaging_group (group_id),
    device     {bytes} NOT NULL,
    official   {bytes} NOT NULL,
    leaf_index BIGINT NOT NULL,
    from_seq   BIGINT NOT NULL,
    left_seq   BIGINT,
    acked      BIGINT NOT NULL,
    PRIMARY KEY (group_id, device)
);
CREATE INDEX messaging_member_device ON messaging_member (device);

-- Inbox counters of a device.
CREATE TABLE messaging_device (
    device      {bytes} PRIMARY KEY,
    inbox_head  BIGINT NOT NULL,
    inbox_acked BIGINT NOT NULL
);
CREATE TABLE messaging_inbox (
    device   {bytes} NOT NULL,
    position BIGINT NOT NULL,
    at       BIGINT NOT NULL,
    notice   {bytes} NOT NULL,
    PRIMARY KEY (device, position)
);

-- `reference` is SHA-256 of the key package. A claimed one-time package leaves its reference behind until it would
-- have expired, so that it cannot be published again.
CREATE TABLE messaging_key_package (
    reference   {bytes} PRIMARY KEY,
    device      {bytes} NOT NULL,
    official    {bytes} NOT NULL,
    last_resort BIGINT NOT NULL,
    not_after   BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    package     {bytes} NOT NULL
);
CREATE INDEX messaging_key_package_device ON messaging_key_package (device, last_resort, not_after);
CREATE TABLE messaging_key_package_used (
    reference {bytes} PRIMARY KEY,
    not_after BIGINT NOT NULL
);

-- Devices whose traffic is refused. `statement` is the signed revocation, if there is one.
CREATE TABLE messaging_cut (
    device    {bytes} PRIMARY KEY,
    official  {bytes} NOT NULL,
    statement {bytes},
    at        BIGINT NOT NULL
);

-- Leaves that must go; proposed again in every epoch until they are gone.
CREATE TABLE messaging_removal (
    group_id       {bytes} NOT NULL REFERENCES messaging_group (group_id),
    device         {bytes} NOT NULL,
    statement      {bytes} NOT NULL,
    at             BIGINT NOT NULL,
    proposed_epoch BIGINT NOT NULL DEFAULT -1,
    PRIMARY KEY (group_id, device)
);

-- Signed statements of members that they cannot apply a commit.
CREATE TABLE messaging_rejection (
    group_id  {bytes} NOT NULL REFERENCES messaging_group (group_id),
    seq       BIGINT NOT NULL,
    device    {bytes} NOT NULL,
    official  {bytes} NOT NULL,
    statement {bytes} NOT NULL,
    at        BIGINT NOT NULL,
    PRIMARY KEY (group_id, seq, device)
);
