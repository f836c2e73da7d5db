-- Runs that published, or were about to.
CREATE TABLE runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,  -- never given out again
    kind TEXT NOT NULL,                    -- run, apply
    started TEXT NOT NULL,                 -- RFC 3339, UTC
    ended TEXT,                            -- null until it has come to its end
    pid INTEGER NOT NULL,
    process TEXT NOT NULL,                 -- tells it from others of the same number
    version TEXT NOT NULL,
    user TEXT NOT NULL,
    published INTEGER NOT NULL DEFAULT 0,  -- whether changes were handed to publishers
    exit_code INTEGER,
    status TEXT,
    causes TEXT NOT NULL DEFAULT '[]',     -- why it failed: JSON, a list of texts
    plugins INTEGER REFERENCES plugin_sets (id),
    -- Sums over its zones, those of changes over what was to be published.
    zones INTEGER NOT NULL DEFAULT 0,
    additions INTEGER NOT NULL DEFAULT 0,
    updates INTEGER NOT NULL DEFAULT 0,
    deletions INTEGER NOT NULL DEFAULT 0,
    left_out INTEGER NOT NULL DEFAULT 0
) STRICT;

-- The plugins of runs, once for as long as they stay the same.
CREATE TABLE plugin_sets (
    id INTEGER PRIMARY KEY,
    plugins TEXT NOT NULL UNIQUE           -- JSON: key, role, version, library, sha256
) STRICT;
CREATE INDEX runs_of_plugins ON runs (plugins);

-- What was to be done about a zone, once however often it was: the wire form of changes.
CREATE TABLE contents (
    id INTEGER PRIMARY KEY,
    sha256 BLOB NOT NULL UNIQUE,
    parts INTEGER NOT NULL
) STRICT;

-- A value of SQLite has less than a gibibyte.
CREATE TABLE parts (
    content INTEGER NOT NULL REFERENCES contents (id) ON DELETE CASCADE,
    part INTEGER NOT NULL,
    octets BLOB NOT NULL,
    UNIQUE (content, part)
) STRICT;

-- One zone in one run; in several if nothing about it changed and nothing was published.
CREATE TABLE zones (
    id INTEGER PRIMARY KEY,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    apex TEXT,                             -- null if nobody can tell
    facts TEXT NOT NULL,                   -- JSON
    additions INTEGER NOT NULL DEFAULT 0,
    updates INTEGER NOT NULL DEFAULT 0,
    deletions INTEGER NOT NULL DEFAULT 0,
    content INTEGER REFERENCES contents (id)
) STRICT;
CREATE INDEX zones_by_run ON zones (last, first);
CREATE INDEX zones_by_apex ON zones (apex, last);
CREATE INDEX zones_by_content ON zones (content);

-- A publisher that was to get the changes of a zone.
CREATE TABLE outcomes (
    zone INTEGER NOT NULL REFERENCES zones (id) ON DELETE CASCADE,
    publisher TEXT NOT NULL,
    outcomes BLOB,                         -- an octet for each change; null until any is known
    reasons TEXT NOT NULL DEFAULT '[]',    -- JSON, a list of texts
    UNIQUE (zone, publisher)
) STRICT;

-- What later runs compare with.
CREATE TABLE memories (
    apex TEXT PRIMARY KEY,
    good_run INTEGER,
    good_at TEXT,
    desired INTEGER,
    actual INTEGER,
    unsettled BLOB,
    applied_run INTEGER,
    applied_made_at TEXT
) STRICT;

-- Digests of libraries, so that each is read once.
CREATE TABLE libraries (
    identity TEXT PRIMARY KEY,
    sha256 TEXT NOT NULL
) STRICT;
