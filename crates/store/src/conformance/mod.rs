//! What every store must do, as a suite that each engine's tests run.
//!
//! Answers are compared with those of a naive evaluator ([`reference`]) over the same rows, so that two engines that
//! pass agree with each other. A failure panics and says which promise was broken.
//!
//! ```ignore
//! threadline_store::conformance::run(|clock| async move { MyStore::open(clock) }).await;
//! ```

#![allow(clippy::unwrap_used, reason = "a suite for tests: a failure is a panic")]

mod appending;
mod asking;
mod paging;
mod purging;
mod reference;
mod retention;
mod sample;

use std::future::Future;
use std::sync::Arc;

use threadline_model::{ManualClock, Timestamp, UtcDay};

use crate::ExchangeStore;

pub use sample::{Random, Sample, batch_id, to_batch};

/// Noon of the day on which the suite begins. Stores are opened with the defaults: 7 days live, 30 days imported.
pub const NOON: Timestamp = Timestamp::from_micros(TODAY.start().micros() + 12 * HOUR);

/// The day on which the suite begins.
pub const TODAY: UtcDay = UtcDay::from_days(20_780);

/// Microseconds in an hour.
pub const HOUR: i64 = 3_600_000_000;

/// Runs the whole suite. `open` opens an empty store with the clock it is given, a new one at each call.
pub async fn run<Open, Opening, Store>(open: Open)
where
    Open: Fn(Arc<ManualClock>) -> Opening,
    Opening: Future<Output = Store>,
    Store: ExchangeStore,
{
    let fresh = || {
        let clock = Arc::new(ManualClock::new(NOON));
        let opening = open(Arc::clone(&clock));
        async move { (opening.await, clock) }
    };
    let (store, _) = fresh().await;
    appending::an_empty_store_answers_emptily(&store).await;
    appending::a_batch_is_stored_once(&store).await;
    appending::batches_at_once_are_all_stored(&store).await;
    let (store, _) = fresh().await;
    appending::a_batch_is_split_at_midnight(&store).await;
    let (store, _) = fresh().await;
    appending::an_import_is_stored_once_whatever_its_batch(&store).await;
    let (store, _) = fresh().await;
    appending::a_row_comes_back_as_it_went_in(&store).await;
    appending::other_columns_are_refused(&store).await;

    let (store, _) = fresh().await;
    asking::every_filter_and_its_negation(&store).await;
    let (store, _) = fresh().await;
    asking::random_questions(&store).await;
    let (store, _) = fresh().await;
    asking::links_lead_both_ways(&store).await;
    asking::gaps_are_where_nothing_happened(&store).await;

    let (store, clock) = fresh().await;
    paging::pages_join_without_seam(&store).await;
    paging::pages_stay_still_while_rows_arrive(&store, &clock).await;
    paging::tokens_of_other_questions_are_refused(&store).await;

    let (store, clock) = fresh().await;
    retention::live_days_go_by_their_day(&store, &clock).await;
    let (store, clock) = fresh().await;
    retention::imports_go_by_the_time_since_the_import(&store, &clock).await;
    let (store, _) = fresh().await;
    retention::rows_outside_of_retention_are_acknowledged(&store).await;

    let (store, _) = fresh().await;
    purging::sessions_and_users_leave_with_all_their_exchanges(&store).await;
    let (store, _) = fresh().await;
    purging::a_parameter_leaves_without_its_exchanges(&store).await;
    let (store, _) = fresh().await;
    purging::what_comes_after_a_purge_began_stays(&store).await;

    appending::a_closed_store_says_so(&store).await;
}
