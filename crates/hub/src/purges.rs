//! Purging on request: the record that something was asked for, and the work that takes it out of the store,
//! which outlives the request and the process.
//!
//! First the record says that it runs, then the store notes what is to leave, then somebody gets an answer. A record
//! that runs without a note in the store is of a purge that was never begun: what to take out is known to nobody any
//! more, and that is said.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use threadline_model::PurgeId;
use threadline_store::{Purge, PurgeCounts, StoreError};
use utoipa::ToSchema;

use crate::database::purges::{self, NewPurge, PurgeRecord};
use crate::database::{DatabaseError, audit};
use crate::hub::Inner;
use crate::problem::{Problem, chain};
use crate::security::{Caller, UnknownWord};

/// Purges that may run or wait at the same time: each writes days anew.
const MOST_RUNNING: usize = 100;
/// After a store could not write a file anew (a full disk), how long until it is asked again.
const AGAIN: Duration = Duration::from_secs(60);
/// Hexadecimal digits of a user's hash that are kept.
const KEPT_DIGITS: usize = 8;

const NOT_BEGUN: &str = "It was not begun. Ask for it again.";
const NOT_LOOKED_FOR: &str = "The store could not look for it. Nothing was purged; ask for it again.";

/// What kind of thing leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum PurgeKind {
    /// Every exchange of the sessions in which a user was seen.
    User,
    /// Every exchange of a session.
    Session,
    /// The values of a parameter; the exchanges stay.
    Parameter,
}

impl PurgeKind {
    /// As stored.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Session => "session",
            Self::Parameter => "parameter",
        }
    }
}

/// How far a purge is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum PurgeState {
    /// Asked for; a stop or a crash of the hub only delays it.
    Running,
    /// What was to leave is in no file of the store any more.
    Done,
    /// Nothing was purged.
    Failed,
}

impl PurgeState {
    /// As stored.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

impl FromStr for PurgeKind {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        [Self::User, Self::Session, Self::Parameter].into_iter().find(|kind| kind.as_str() == text).ok_or(UnknownWord)
    }
}

impl FromStr for PurgeState {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        [Self::Running, Self::Done, Self::Failed].into_iter().find(|state| state.as_str() == text).ok_or(UnknownWord)
    }
}

/// What is asked for, the kind with it, and what of it is kept in the record.
///
/// A session's ID is a keyed hash and a parameter's name is the operator's own word. A user is a person: a record that
/// named them would keep what was to leave. The first digits of a hash let somebody who knows the name find its record
/// (`printf %s NAME | sha256sum`), and are too few to prove that it was this name and not another one.
fn kept(purge: &Purge) -> (PurgeKind, String) {
    match purge {
        Purge::User(user) => {
            let mut digits: String = Sha256::digest(user).iter().map(|byte| format!("{byte:02x}")).collect();
            digits.truncate(KEPT_DIGITS);
            (PurgeKind::User, digits)
        }
        Purge::Session(session) => (PurgeKind::Session, session.to_string()),
        Purge::Parameter(name) => (PurgeKind::Parameter, name.clone()),
    }
}

/// What a purge would take away now.
pub(crate) async fn preview(hub: &Inner, purge: Purge) -> Result<PurgeCounts, Problem> {
    hub.store.preview_purge(purge).await.map_err(not_looked_for)
}

/// Begins a purge that then runs by itself. It is begun also when whoever asked does not wait for the answer.
pub(crate) async fn begin(hub: &Arc<Inner>, purge: Purge, reason: String, by: Caller) -> Result<PurgeRecord, Problem> {
    let begun = tokio::spawn(begin_to_the_end(Arc::clone(hub), purge, reason, by));
    begun.await.map_err(|error| Problem::internal("begin a purge", &error))?
}

async fn begin_to_the_end(hub: Arc<Inner>, purge: Purge, reason: String, by: Caller) -> Result<PurgeRecord, Problem> {
    if purges::running(&hub.database).await?.len() >= MOST_RUNNING {
        return Err(Problem::conflict(format!("{MOST_RUNNING} purges are running; wait until one is done.")));
    }
    let id = PurgeId::new(uuid::Uuid::now_v7());
    let (kind, value) = kept(&purge);
    let failed = || DatabaseError::of::<sqlx::Error>("record a purge");
    let mut transaction = hub.database.begin_with("BEGIN IMMEDIATE").await.map_err(failed())?;
    let new = NewPurge { id, kind, value: &value, reason: &reason, asked_by: &by.name };
    purges::add(&mut *transaction, &new, hub.now()).await?;
    let entry = audit::Entry::by(&by, "purge.requested").about(&subject(kind, &value)).saying(&reason);
    audit::append(&mut *transaction, entry, hub.now()).await?;
    transaction.commit().await.map_err(failed())?;

    let counts = match hub.store.begin_purge(id, purge).await {
        Ok(counts) => counts,
        Err(error) => {
            end(&hub, id, Err(NOT_LOOKED_FOR)).await?;
            return Err(not_looked_for(error));
        }
    };
    // Whole exchanges, in memory: which of them are meant is not worth finding out.
    hub.forget_recent().await;
    tokio::spawn(finish(Arc::clone(&hub), id));
    purges::count(&hub.database, id, counts).await?;
    let record = purges::read(&hub.database, id).await?;
    record.ok_or_else(|| Problem::not_found("There is no such purge."))
}

/// Goes on with the purges that a stop or a crash cut short.
pub(crate) async fn resume(hub: &Arc<Inner>) -> Result<(), DatabaseError> {
    for record in purges::running(&hub.database).await? {
        tokio::spawn(finish(Arc::clone(hub), record.id));
    }
    Ok(())
}

/// Purges, and tries again until that is done or the hub stops.
async fn finish(hub: Arc<Inner>, id: PurgeId) {
    loop {
        let turn = hub.purging.lock().await;
        let problem = match hub.store.finish_purge(id).await {
            // The next start goes on.
            Err(StoreError::Closed) => return,
            Err(error) => chain(&error),
            Ok(counts) => match end(&hub, id, counts.ok_or(NOT_BEGUN)).await {
                Ok(()) => break,
                Err(_) if hub.database.is_closed() => return,
                Err(error) => chain(&error),
            },
        };
        drop(turn);
        tracing::error!(purge = %id, error = %problem, "a purge was cut short; it will be tried again");
        tokio::time::sleep(AGAIN).await;
    }
    // Only now: a record that runs and has no note is one of a purge that was not begun.
    if let Err(error) = hub.store.forget_purge(id).await {
        tracing::warn!(purge = %id, error = %chain(&error), "the note of a purge that is done stays");
    }
}

/// Records how a purge ended, there and in the audit log.
async fn end(hub: &Inner, id: PurgeId, outcome: Result<PurgeCounts, &'static str>) -> Result<(), DatabaseError> {
    let Some(record) = purges::read(&hub.database, id).await? else { return Ok(()) };
    let (action, said) = match outcome {
        Ok(counts) => ("purge.done", said(counts)),
        Err(why) => ("purge.failed", why.to_owned()),
    };
    let failed = || DatabaseError::of::<sqlx::Error>("record the end of a purge");
    let mut transaction = hub.database.begin_with("BEGIN IMMEDIATE").await.map_err(failed())?;
    if let Ok(counts) = outcome {
        purges::count(&mut *transaction, id, counts).await?;
    }
    purges::end(&mut *transaction, id, outcome.err(), hub.now()).await?;
    let entry = audit::Entry::of_nobody(action).about(&subject(record.kind, &record.value)).saying(said);
    audit::append(&mut *transaction, entry, hub.now()).await?;
    transaction.commit().await.map_err(failed())?;
    tracing::info!(purge = %id, outcome = action, "a purge has ended");
    Ok(())
}

fn subject(kind: PurgeKind, value: &str) -> String {
    format!("{} {value}", kind.as_str())
}

fn said(counts: PurgeCounts) -> String {
    let PurgeCounts { sessions, deleted, changed, days, .. } = counts;
    format!("sessions: {sessions}, exchanges deleted: {deleted}, changed: {changed}, days: {days}")
}

/// A question over everything that is stored cannot be made smaller.
fn not_looked_for(error: StoreError) -> Problem {
    match error {
        StoreError::TooSlow { .. } => {
            Problem::unavailable("Looking through all that is stored took too long. Ask again when less is going on.")
        }
        other => Problem::store(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_user_the_first_digits_of_sha_256_are_kept() {
        // RFC 6234's "abc".
        assert_eq!(kept(&Purge::User("abc".to_owned())), (PurgeKind::User, "ba7816bf".to_owned()));
        assert_eq!(kept(&Purge::Parameter("abc".to_owned())), (PurgeKind::Parameter, "abc".to_owned()));
    }

    #[test]
    fn the_record_reads_the_words_it_writes() {
        for kind in [PurgeKind::User, PurgeKind::Session, PurgeKind::Parameter] {
            assert_eq!(kind.as_str().parse::<PurgeKind>().ok(), Some(kind));
        }
        for state in [PurgeState::Running, PurgeState::Done, PurgeState::Failed] {
            assert_eq!(state.as_str().parse::<PurgeState>().ok(), Some(state));
        }
        assert!("".parse::<PurgeKind>().is_err() && "gone".parse::<PurgeState>().is_err());
    }
}
