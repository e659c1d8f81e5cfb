-- What left nodes and was stored: how many values of a field, and their bytes, by UTC day (days since 1970-01-01).
-- No value stands here. A node without a name stands for those beyond what is told apart.

CREATE TABLE export_ledger (
    day   INTEGER NOT NULL,
    node  TEXT NOT NULL,
    -- A column of the exchanges table, `session_value KIND`, `parameter NAME`, or `further parameters`.
    field TEXT NOT NULL,
    form  TEXT NOT NULL CHECK (form IN ('clear', 'hashed')),
    count INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (day, node, field, form)
) STRICT, WITHOUT ROWID;
