CREATE TABLE meta (
    key   TEXT NOT NULL PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The one table of the store port. change is the number under which the feed
-- tells a log entry. counters is a JSON object.
CREATE TABLE items (
    pk       TEXT NOT NULL,
    sk       TEXT NOT NULL,
    data     BLOB NOT NULL,
    counters BLOB,
    expires  INTEGER, -- Unix seconds
    change   INTEGER,
    PRIMARY KEY (pk, sk)
) STRICT, WITHOUT ROWID;

CREATE INDEX items_by_expiry ON items (expires) WHERE expires IS NOT NULL;

-- What the feed has to tell. data is set when the item was replaced or deleted
-- before it was told.
CREATE TABLE changes (
    n    INTEGER PRIMARY KEY,
    pk   TEXT NOT NULL,
    sk   TEXT NOT NULL,
    data BLOB
) STRICT;
