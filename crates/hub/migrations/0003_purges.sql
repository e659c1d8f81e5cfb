-- What was asked to leave the store for good: the record that it was done stays. Nothing here names a user.

CREATE TABLE purges (
    number          INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    id              TEXT NOT NULL UNIQUE,
    kind            TEXT NOT NULL CHECK (kind IN ('user', 'session', 'parameter')),
    -- A session's ID, a parameter's name, or of a user the first digits of a hash.
    value           TEXT NOT NULL,
    reason          TEXT NOT NULL,
    asked_at        INTEGER NOT NULL,
    asked_by        TEXT NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('running', 'done', 'failed')),
    ended_at        INTEGER,
    -- Why it failed, in words.
    failure         TEXT,
    sessions        INTEGER NOT NULL DEFAULT 0,
    shared_sessions INTEGER NOT NULL DEFAULT 0,
    deleted         INTEGER NOT NULL DEFAULT 0,
    changed         INTEGER NOT NULL DEFAULT 0,
    days            INTEGER NOT NULL DEFAULT 0
) STRICT;
