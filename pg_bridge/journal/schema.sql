-- The journal of one node. entry: the leaves of the tree, never changed. payload: what was said, with its salt; it may
-- go by policy while its leaf stays. reference: what entries are found by. checkpoint: signed notes.
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE entry (
    position INTEGER PRIMARY KEY,
    at_us INTEGER NOT NULL,
    kind TEXT NOT NULL,
    exchange TEXT NOT NULL,
    participant TEXT NOT NULL,
    refs TEXT NOT NULL,
    mapping TEXT NOT NULL,
    findings TEXT NOT NULL,
    payload_hash BLOB NOT NULL,
    leaf_hash BLOB NOT NULL
);

CREATE TABLE payload (position INTEGER PRIMARY KEY, salt BLOB NOT NULL, payload BLOB NOT NULL);

CREATE TABLE reference (value TEXT NOT NULL, position INTEGER NOT NULL, PRIMARY KEY (value, position)) WITHOUT ROWID;

CREATE TABLE checkpoint (size INTEGER PRIMARY KEY, note TEXT NOT NULL);
