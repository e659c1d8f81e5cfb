//! What can be asked to leave a store for good, and how much that is.

use threadline_model::SessionId;

/// What is to leave. Everything is meant over all days and in both lanes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purge {
    /// Every exchange of the sessions in which this user, as stored, was seen: what the filter by user shows without a
    /// range. Links of other exchanges to those sessions are emptied.
    User(String),
    /// Every exchange of a session. Links of other exchanges to it are emptied.
    Session(SessionId),
    /// The values of the parameter of this name. The exchanges stay, without the parameter; without their user and role
    /// where these equal a value that left; with an empty `session_value` where the parameter decided the session; and
    /// with the names of their query only. Session IDs stay: they are keyed hashes.
    Parameter(String),
}

/// What a purge takes away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PurgeCounts {
    /// Sessions that lose exchanges, or of a parameter, values.
    pub sessions: u64,
    /// Of the sessions of a user, those in which other users were seen too.
    pub shared_sessions: u64,
    /// Exchanges that leave.
    pub deleted: u64,
    /// Exchanges that stay without a link or a value.
    pub changed: u64,
    /// UTC days of those exchanges.
    pub days: u64,
}
