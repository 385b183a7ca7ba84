-- The journal of one world: everything that happened, in the order in which the engine learned it.
--
-- This file is the format's document. A journal is an SQLite 3 database in WAL mode, private to its
-- owner (0600). One connection in the engine's writer thread writes it; everybody else opens it
-- read-only. Nothing is ever changed or deleted: a correction is a new event.
--
-- Beside journal-X.db lie journal-X.lock (names the process that writes), journal-X.spill (rows that could
-- not be written here, taken up by the next start), journal.reserve (room given up when the disk is full),
-- and, after a change of format, the old file as journal-X.vN-TIME.
--
-- Integers: times ending in _ms are Unix milliseconds (real time), _ns monotonic nanoseconds of the
-- boot named by boot_id. Inside payloads prices are ten-thousandths of a dollar, quantities
-- millionths of a contract, money millionths of a dollar.

-- Version of this format: one row for each version this journal has had, the highest counts. A program
-- refuses a journal with a version above its own, and brings an older one up to date on a copy.
CREATE TABLE schema_version (
    version    INTEGER NOT NULL,
    applied_ms INTEGER NOT NULL
) STRICT;

-- What the journal belongs to: 'world_id', 'profile', 'created_ms', 'code_version' of its creator.
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- One row for each run of an engine on this journal. A run that ended in order has the closed_
-- columns: they also anchor the end of the chain, so that rows missing behind it are noticed.
CREATE TABLE owner (
    run_id       TEXT PRIMARY KEY,
    boot_id      TEXT NOT NULL,
    code_version TEXT NOT NULL,
    opened_ms    INTEGER NOT NULL,
    closed_ms    INTEGER,
    closed_seq   INTEGER,
    closed_hash  TEXT
) STRICT;

-- Places of the chain known to be sound when they were written: the writer checked everything before
-- them, or wrote it itself. The next start checks the chain from the newest one on.
CREATE TABLE anchor (
    seq   INTEGER PRIMARY KEY,
    hash  TEXT NOT NULL,
    at_ms INTEGER NOT NULL
) STRICT;

-- The log. seq counts from 1 without gaps.
--
-- kind      a name of core/journal/events.py. After a SPILL row come the rows it speaks of, with the times
--           and runs they had; a BELIEF row marks what the engine believed there
-- actor     whose doing it was: 'engine', 'console pid 4711 (uid 1000)', 'cli pid ... (uid ...)'
-- order_id  client order id, '' when the event belongs to no order of ours
-- ticker    market, '' when the event belongs to none
-- cause_seq the event that led to this one, so that `pmconsole journal why` can tell the story
-- payload   JSON object with sorted keys and no spaces; its fields depend on the kind
-- hash      sha-256, hex, of prev_hash followed by the JSON array of all columns before prev_hash
--           in this order; the first row's prev_hash is 64 zeros
CREATE TABLE event (
    seq        INTEGER PRIMARY KEY,
    ts_wall_ms INTEGER NOT NULL,
    ts_mono_ns INTEGER NOT NULL,
    boot_id    TEXT NOT NULL,
    run_id     TEXT NOT NULL REFERENCES owner (run_id),
    actor      TEXT NOT NULL,
    kind       TEXT NOT NULL,
    order_id   TEXT NOT NULL,
    ticker     TEXT NOT NULL,
    cause_seq  INTEGER,
    payload    TEXT NOT NULL,
    prev_hash  TEXT NOT NULL,
    hash       TEXT NOT NULL
) STRICT;

CREATE INDEX event_by_order ON event (order_id, seq) WHERE order_id <> '';
CREATE INDEX event_by_kind ON event (kind, seq);

CREATE TRIGGER event_is_never_changed BEFORE UPDATE ON event
BEGIN
    SELECT RAISE(ABORT, 'journal events are never changed');
END;

CREATE TRIGGER event_is_never_deleted BEFORE DELETE ON event
BEGIN
    SELECT RAISE(ABORT, 'journal events are never deleted');
END;
