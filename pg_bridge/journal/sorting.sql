-- Of a private database without a name: SQLite keeps what it does not hold in memory in a file, and deletes that.
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA temp_store = FILE;
PRAGMA cache_size = -8192;
BEGIN;
CREATE TABLE state (reference TEXT NOT NULL, sequence INTEGER NOT NULL, status TEXT NOT NULL) STRICT;
