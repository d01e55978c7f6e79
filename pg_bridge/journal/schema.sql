-- The journal's tables. `entry`, `payload` and `checkpoint` are the record; the others are made from it, can be
-- made again from it, and are compared with it by verify.

CREATE TABLE meta (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- One row an entry. Everything here but leaf_hash is in the leaf (leaf.py); refs and findings are canonical JSON.
CREATE TABLE entry (
    position     INTEGER NOT NULL PRIMARY KEY,
    at_us        INTEGER NOT NULL,
    kind         TEXT NOT NULL,
    exchange     TEXT NOT NULL,
    participant  TEXT NOT NULL,
    refs         TEXT NOT NULL,
    mapping      TEXT NOT NULL,
    findings     TEXT NOT NULL,
    payload_hash BLOB NOT NULL,
    leaf_hash    BLOB NOT NULL
) STRICT;

CREATE INDEX entry_with_findings ON entry (position) WHERE findings <> '[]';

-- Beside the entry, so that it can go while the leaf stays. payload_hash = SHA-256(salt || body).
CREATE TABLE payload (
    position INTEGER NOT NULL PRIMARY KEY,
    salt     BLOB NOT NULL,
    body     BLOB NOT NULL
) STRICT;

-- Signed notes; size is the number of entries that the note covers.
CREATE TABLE checkpoint (
    size INTEGER NOT NULL PRIMARY KEY,
    note TEXT NOT NULL
) STRICT;

-- Roots of complete subtrees of 256, 65536, ... entries: opening and proofs read these, not all leaves.
CREATE TABLE subtree (
    level  INTEGER NOT NULL,
    number INTEGER NOT NULL,
    hash   BLOB NOT NULL,
    PRIMARY KEY (level, number)
) STRICT, WITHOUT ROWID;

-- A segment is 1024 entries. Its references are indexed once, sorted, when it is complete: appending never
-- writes into the middle of a large index, whatever the values look like, and speed does not fall with size.
CREATE TABLE segment (
    number     INTEGER NOT NULL PRIMARY KEY,
    first_at_us INTEGER NOT NULL,
    last_at_us  INTEGER NOT NULL
) STRICT;

CREATE TABLE reference (
    segment  INTEGER NOT NULL,
    value    TEXT NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (segment, value, position)
) STRICT, WITHOUT ROWID;
