//! The pipeline in process: a 1 KiB JSON request and response with a bearer JWT through every stage, on one core.

use std::hint::black_box;
use std::time::{Duration, Instant};

use serde_json::json;
use threadline_context::Selector;
use threadline_grouping::{Grouper, InstallationSecret};
use threadline_model::{Exchange, Timestamp};
use threadline_node::{NodeCounters, Pipeline};
use threadline_points::{Bounds, Operations, Plan, Scratch};
use threadline_policy::{Policy, PolicyDocument, Reach};
use threadline_record::RowBuilder;
use threadline_traffic::generate::{REFERENCE_PARAMETERS, ReferenceStream};

use crate::table::{Budget, Figure, Table};

/// Exchanges in the cycle, so that neither caches nor branch predictors see one message only.
const DISTINCT: usize = 512;
/// Rows of a batch, as the node closes them.
const BATCH: usize = 8_192;
/// How long each figure is measured, and how often; the median is printed.
const MEASURE: Duration = Duration::from_millis(700);
const ROUNDS: usize = 5;

/// Measures and adds the section.
pub(crate) fn run(table: &mut Table) {
    let exchanges: Vec<Exchange> =
        ReferenceStream::new(1, DISTINCT as u32, Timestamp::from_micros(1_790_000_000_000_000))
            .take(DISTINCT)
            .collect();
    let parameters: Vec<_> = REFERENCE_PARAMETERS
        .iter()
        .map(|one| json!({"name": one.name, "point": one.point, "type": one.kind, "group": one.group}))
        .collect();
    let Ok(document) = serde_json::from_value::<PolicyDocument>(json!({ "parameters": parameters })) else { return };
    let Ok(policy) = Policy::validate(1, document) else { return };
    let Ok(folder) = tempfile::tempdir() else { return };
    let Ok(secret) = InstallationSecret::load_or_create(&folder.path().join("secret")) else { return };
    let Ok(plan) = Plan::compile(&policy.points(), Bounds::default()) else { return };
    let grouper = Grouper::new(&policy, secret.session_key());
    let selector = Selector::new(&policy, secret.parameter_key());
    let Ok(operations) = Operations::new(Bounds::default()) else { return };
    let Ok(mut pipeline) = Pipeline::compile(&policy, &secret, "bench", Bounds::default()) else { return };
    let counters = NodeCounters::default();
    let mut scratch = Scratch::default();

    let reach = Reach::default();
    let extract = nanoseconds(&exchanges, |exchange| {
        black_box(plan.extract(exchange, &mut scratch));
    });
    let mut scratch = Scratch::default();
    let grouped = nanoseconds(&exchanges, |exchange| {
        let extracted = plan.extract(exchange, &mut scratch);
        black_box(grouper.decide(exchange, &reach, &extracted, &mut scratch));
    });
    let selected = nanoseconds(&exchanges, |exchange| {
        let extracted = plan.extract(exchange, &mut scratch);
        let grouped = grouper.decide(exchange, &reach, &extracted, &mut scratch);
        let spoken = operations.read(exchange, &mut scratch);
        black_box(selector.select(exchange, &extracted, &grouped, &spoken));
    });
    let mut rows = RowBuilder::with_capacity(BATCH);
    let whole = nanoseconds(&exchanges, |exchange| {
        pipeline.process(exchange, &mut rows, &counters);
        if rows.len() >= BATCH {
            black_box(rows.finish());
        }
    });
    let micros = |nanoseconds: f64| nanoseconds.max(0.0) / 1000.0;
    table.section(
        "Pipeline, one core: 1 KiB JSON request and response, bearer JWT, 8 parameters, 3 keys",
        vec![
            Figure::new("exchanges per second", 1e9 / whole, "1/s", Budget::AtLeast(250_000.0)),
            Figure::new("points: extract", micros(extract), "µs", Budget::None),
            Figure::new("grouping: decide", micros(grouped - extract), "µs", Budget::None),
            Figure::new("context: select", micros(selected - grouped), "µs", Budget::None),
            Figure::new("record: append and close", micros(whole - selected), "µs", Budget::None),
            Figure::new("all stages", micros(whole), "µs", Budget::AtMost(4.0)),
        ],
    );
}

/// Median over the rounds of the nanoseconds one call takes.
fn nanoseconds(exchanges: &[Exchange], mut work: impl FnMut(&Exchange)) -> f64 {
    let mut rounds: Vec<f64> = (0..=ROUNDS)
        .map(|_| {
            let started = Instant::now();
            let mut count = 0_u64;
            while started.elapsed() < MEASURE {
                for exchange in exchanges {
                    work(exchange);
                }
                count += exchanges.len() as u64;
            }
            started.elapsed().as_nanos() as f64 / count as f64
        })
        .skip(1)
        .collect();
    rounds.sort_by(f64::total_cmp);
    rounds[rounds.len() / 2]
}
