//! A policy tried out before it is saved: exchanges are put in sessions by the policy that holds and by a draft,
//! by the same stages as live traffic, and both are described side by side. Nothing is exported and nothing is kept.
//!
//! Time and memory are linear in the exchanges, of which there are at most [`MAXIMUM_TRIED`]. What comes out holds
//! counts, names of the policies, keyed hashes, and of few exchanges the head under the masks of both policies; no
//! captured value of a key.

mod changes;
mod figures;
mod issued;
mod tally;
mod warnings;

use threadline_grouping::InstallationSecret;
use threadline_model::{Exchange, Timestamp, behind_traffic};
use threadline_points::{Bounds, Scratch};
use threadline_policy::Policy;

pub use changes::{Changes, Example, ExampleSession, MAXIMUM_EXAMPLES};
pub use figures::{Figures, RuleFigures, Spread};
pub use warnings::{ENOUGH_EXCHANGES, ENOUGH_VALUES, MANY_CLIENTS, MOSTLY_SINGLE, Warning, WarningKind};

use changes::Comparison;
use tally::Tally;

use crate::{CompileError, Stages, panics};

/// Most exchanges that are tried; of more, the first.
pub const MAXIMUM_TRIED: usize = 20_000;

/// What does not depend on the policies.
#[derive(Clone, Copy)]
pub struct TryOutSettings<'s> {
    /// The installation's: session IDs are those that the exchanges would get.
    pub secret: &'s InstallationSecret,
    /// What analysing one exchange may cost.
    pub bounds: Bounds,
    /// Asked before every exchange; once it says so, nothing more is done.
    pub is_stopped: &'s (dyn Fn() -> bool + Sync),
}

/// Which of the two policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// The one that holds.
    Current,
    /// The one that is tried out.
    Draft,
}

/// Both policies side by side.
#[derive(Debug)]
pub struct TryOut {
    /// Exchanges that were looked at.
    pub exchanges: u64,
    /// Exchanges that could not be analysed: a defect. They are in no figure.
    pub failed: u64,
    /// When the first of them started.
    pub from: Option<Timestamp>,
    /// When the last of them started.
    pub to: Option<Timestamp>,
    /// By the policy that holds.
    pub current: Figures,
    /// By the draft.
    pub draft: Figures,
    /// What changes from one to the other.
    pub changes: Changes,
    /// What to worry about, the current policy first; by the order of the keys.
    pub warnings: Vec<Warning>,
}

/// Why a policy could not be tried out.
#[derive(Debug, thiserror::Error)]
pub enum TryOutError {
    /// The policy that holds does not compile under these bounds.
    #[error("the policy that holds cannot be compiled")]
    Current(#[source] CompileError),
    /// The draft does not compile under these bounds.
    #[error("the draft cannot be compiled")]
    Draft(#[source] CompileError),
    /// Nobody wants the answer any more.
    #[error("stopped")]
    Stopped,
    /// The thread for it could not be started.
    #[error("the thread for trying out cannot be started")]
    Thread(#[source] std::io::Error),
    /// It panicked outside of any exchange: a defect.
    #[error("trying out failed, which is a bug")]
    Failed,
}

/// Tries `draft` out beside `current` on exchanges, in the order in which examples are to be shown. Takes as long as it
/// takes, on a thread of its own behind the traffic; call it where waiting harms nobody.
///
/// # Errors
/// See [`TryOutError`].
pub fn try_out(
    current: &Policy,
    draft: &Policy,
    exchanges: &[&Exchange],
    settings: TryOutSettings<'_>,
) -> Result<TryOut, TryOutError> {
    let TryOutSettings { secret, bounds, .. } = settings;
    let current = Stages::compile(current, secret, bounds).map_err(TryOutError::Current)?;
    let draft = Stages::compile(draft, secret, bounds).map_err(TryOutError::Draft)?;
    let exchanges = &exchanges[..exchanges.len().min(MAXIMUM_TRIED)];
    panics::keep_quiet();
    std::thread::scope(|scope| {
        let analysis = std::thread::Builder::new().name(panics::ANALYSIS_THREAD.to_owned());
        let run = || {
            behind_traffic();
            run(&current, &draft, exchanges, settings)
        };
        let running = analysis.spawn_scoped(scope, run).map_err(TryOutError::Thread)?;
        running.join().unwrap_or(Err(TryOutError::Failed))
    })
}

fn run(
    current: &Stages,
    draft: &Stages,
    exchanges: &[&Exchange],
    settings: TryOutSettings<'_>,
) -> Result<TryOut, TryOutError> {
    let mut tallies = [Tally::new(current), Tally::new(draft)];
    let mut comparison = Comparison::new(settings);
    let mut scratch = Scratch::default();
    let mut failed = 0;
    for exchange in exchanges {
        if (settings.is_stopped)() {
            return Err(TryOutError::Stopped);
        }
        let step = panics::contain(|| {
            let sights = [current, draft].map(|stages| stages.look(exchange, &mut scratch));
            let [one, other] = [(current, &sights[0]), (draft, &sights[1])].map(|(stages, sight)| {
                sight.as_ref().map(|sight| (sight, stages.group(exchange, sight, &mut scratch)))
            });
            // All is known now: what follows only counts, so that no exchange is counted by halves.
            comparison.see(exchange, [current, draft], [&one, &other]);
            for (tally, seen) in tallies.iter_mut().zip([one, other]) {
                tally.see(exchange, seen);
            }
        });
        if let Err(place) = step {
            scratch = Scratch::default();
            failed += 1;
            tracing::error!(%place, exchange = %exchange.id, "an exchange could not be tried: a defect of Threadline");
        }
    }
    let mut found = Vec::new();
    for (version, tally) in [Version::Current, Version::Draft].into_iter().zip(&tallies) {
        let issued = issued::look_for(tally, exchanges, settings)?;
        found.extend(warnings::of(version, tally, &issued));
    }
    let [current, draft] = tallies.map(Tally::figures);
    let times = || exchanges.iter().map(|exchange| exchange.started);
    Ok(TryOut {
        exchanges: exchanges.len() as u64,
        failed,
        from: times().min(),
        to: times().max(),
        current,
        draft,
        changes: comparison.changes,
        warnings: found,
    })
}

#[cfg(test)]
mod tests;
