-- State of a hub: small and transactional. Times are microseconds since the Unix epoch, UTC.
-- Secrets stand here only as hashes.

CREATE TABLE settings (
    name  TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
) STRICT;

CREATE TABLE policy_versions (
    version  INTEGER PRIMARY KEY NOT NULL,
    saved_at INTEGER NOT NULL,
    saved_by TEXT NOT NULL,
    comment  TEXT,
    -- JSON: sentences that say what changed against the version before.
    changes  TEXT NOT NULL,
    -- JSON: the policy document, normalised.
    document TEXT NOT NULL
) STRICT;

CREATE TABLE people (
    id              INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    name            TEXT NOT NULL,
    -- The name in lower case: two people must not look alike.
    folded_name     TEXT NOT NULL UNIQUE,
    role            TEXT NOT NULL CHECK (role IN ('admin', 'analyst', 'viewer')),
    -- Argon2id in PHC string format.
    password_hash   TEXT NOT NULL,
    created_at      INTEGER NOT NULL,
    created_by      TEXT NOT NULL,
    last_sign_in_at INTEGER
) STRICT;

CREATE TABLE sign_ins (
    secret_hash  BLOB PRIMARY KEY NOT NULL,
    person_id    INTEGER NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX sign_ins_of_person ON sign_ins (person_id);

CREATE TABLE api_tokens (
    id           INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    secret_hash  BLOB NOT NULL UNIQUE,
    name         TEXT NOT NULL,
    role         TEXT NOT NULL CHECK (role IN ('admin', 'analyst', 'viewer', 'node')),
    created_at   INTEGER NOT NULL,
    created_by   TEXT NOT NULL,
    expires_at   INTEGER,
    last_used_at INTEGER
) STRICT;

CREATE TABLE audit (
    id         INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    at         INTEGER NOT NULL,
    actor      TEXT,
    actor_kind TEXT,
    action     TEXT NOT NULL,
    subject    TEXT,
    detail     TEXT,
    address    TEXT
) STRICT;
