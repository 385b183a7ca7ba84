-- Format 2: anchors, so that a start does not read the whole log.
CREATE TABLE anchor (
    seq   INTEGER PRIMARY KEY,
    hash  TEXT NOT NULL,
    at_ms INTEGER NOT NULL
) STRICT;
INSERT INTO anchor SELECT seq, hash, ts_wall_ms FROM event ORDER BY seq DESC LIMIT 1;
