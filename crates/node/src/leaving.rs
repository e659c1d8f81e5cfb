//! The rows that a policy would make of some exchanges, by the whole pipeline, for somebody who asks what would leave.
//! They are for looking at: nothing is exported, and nothing is counted.

use arrow::record_batch::RecordBatch;
use threadline_model::{Exchange, behind_traffic};
use threadline_policy::Policy;
use threadline_record::RowBuilder;

use crate::{MAXIMUM_TRIED, NodeCounters, Pipeline, TryOutError, TryOutSettings, panics};

/// Rows of some exchanges.
#[derive(Debug)]
pub struct WouldLeave {
    /// One for each exchange that the policy analyses, in the order of the exchanges.
    pub rows: RecordBatch,
    /// Exchanges that could not be analysed: a defect. They have no row.
    pub failed: u64,
}

/// Takes at most [`MAXIMUM_TRIED`] exchanges through all stages of a policy, on a thread of its own behind the traffic.
/// `node` is the name in the rows. Call it where waiting harms nobody.
///
/// # Errors
/// See [`TryOutError`]; a policy that does not compile is a draft here.
pub fn would_leave(
    policy: &Policy,
    node: &str,
    exchanges: &[&Exchange],
    settings: TryOutSettings<'_>,
) -> Result<WouldLeave, TryOutError> {
    let mut pipeline = Pipeline::compile(policy, settings.secret, node, settings.bounds).map_err(TryOutError::Draft)?;
    let exchanges = &exchanges[..exchanges.len().min(MAXIMUM_TRIED)];
    panics::keep_quiet();
    std::thread::scope(|scope| {
        let analysis = std::thread::Builder::new().name(panics::ANALYSIS_THREAD.to_owned());
        let run = || {
            behind_traffic();
            run(&mut pipeline, exchanges, settings)
        };
        let running = analysis.spawn_scoped(scope, run).map_err(TryOutError::Thread)?;
        running.join().unwrap_or(Err(TryOutError::Failed))
    })
}

fn run(
    pipeline: &mut Pipeline,
    exchanges: &[&Exchange],
    settings: TryOutSettings<'_>,
) -> Result<WouldLeave, TryOutError> {
    let counters = NodeCounters::default();
    let mut rows = RowBuilder::new();
    let mut failed = 0;
    for exchange in exchanges {
        if (settings.is_stopped)() {
            return Err(TryOutError::Stopped);
        }
        let step = panics::contain(|| {
            pipeline.process(exchange, &mut rows, &counters);
        });
        if let Err(place) = step {
            pipeline.recover();
            failed += 1;
            tracing::error!(%place, exchange = %exchange.id, "an exchange could not be looked at: a defect of Threadline");
        }
    }
    Ok(WouldLeave { rows: rows.finish(), failed })
}
