//! The proxy beside Debian's nginx as a plain reverse proxy: same backend, same load, one core for the proxy and one
//! for load and backend, rounds in turn, medians.
//!
//! The figure to trust is processor time per request: it is read from the kernel for the proxy's process alone and
//! survives a machine that has other things to do, which requests per second do not.

mod load;
mod message;
mod subject;

use std::path::PathBuf;
use std::time::Duration;

use load::{Latencies, closed_loop, fixed_rate};
use message::Messages;
use subject::{Kind, Subject, backend};

use crate::table::{Budget, Figure, Table};

pub(crate) use subject::act;

/// What to measure, and how long.
#[derive(Debug)]
pub(crate) struct ProxyOptions {
    /// The `threadline` binary. Without it only the proxy alone is measured.
    pub(crate) threadline: Option<PathBuf>,
    /// Length of one measurement of one subject.
    pub(crate) length: Duration,
    /// Rounds; the median is printed.
    pub(crate) rounds: usize,
}

/// Connections of the load, kept open.
const CONNECTIONS: usize = 32;

/// Why there are no figures.
#[derive(Debug)]
pub(crate) struct Unmeasured(String);

impl std::fmt::Display for Unmeasured {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Unmeasured {
    fn new(what: &str, why: impl std::fmt::Display) -> Self {
        Self(format!("{what}: {why}"))
    }
}

/// Measures and adds the sections.
pub(crate) fn run(options: &ProxyOptions, table: &mut Table) -> Result<(), Unmeasured> {
    let folder = tempfile::tempdir().map_err(|error| Unmeasured::new("a folder for the bench", error))?;
    let messages = Messages::write(folder.path())?;
    let backend = backend(folder.path(), &messages.response)?;
    let mut kinds = vec![Kind::Nginx, Kind::PassThrough, Kind::Captured];
    if let Some(binary) = &options.threadline {
        kinds.push(Kind::Whole(binary.clone()));
    }
    let mut subjects = Vec::new();
    for kind in kinds {
        subjects.push(Subject::start(kind, folder.path(), backend.address)?);
    }

    let plain = measure(&subjects, options, &messages.plain_script)?;
    add_section(table, "Proxy beside nginx: GET, 1 KiB JSON back", &subjects, &plain, None);

    let posted = measure(&subjects, options, &messages.posted_script)?;
    add_section(table, "Proxy beside nginx: POST with JWT, 1 KiB JSON both ways", &subjects, &posted, None);

    let slowest = posted.iter().map(|measured| measured.rate).fold(f64::INFINITY, f64::min);
    let rate = (slowest / 2.0).max(100.0);
    let (paced, latencies) = measure_at(&subjects, options, &messages.posted, rate)?;
    let title = format!("Proxy beside nginx: the same at half load, {rate:.0} requests/s");
    add_section(table, title, &subjects, &paced, Some(&latencies));
    Ok(())
}

/// The same requests at a fixed rate: what each costs, and how long it takes.
fn measure_at(
    subjects: &[Subject],
    options: &ProxyOptions,
    requests: &[Vec<u8>],
    rate: f64,
) -> Result<(Vec<Measured>, Vec<Latencies>), Unmeasured> {
    let mut samples: Vec<Vec<(Measured, Latencies)>> = subjects.iter().map(|_| Vec::new()).collect();
    for _ in 0..options.rounds {
        for (subject, samples) in subjects.iter().zip(&mut samples) {
            let (before, analysed) = (subject.processor_time()?, subject.analysed());
            let latencies = fixed_rate(subject.address, requests, rate, options.length)?;
            let (after, analysed_after) = (subject.processor_time()?, subject.analysed());
            let count = rate * options.length.as_secs_f64();
            let measured = Measured {
                whole: (after.whole - before.whole) / count,
                node: (after.node - before.node) / count,
                rate,
                shed: shed(analysed, analysed_after),
            };
            samples.push((measured, latencies));
        }
    }
    let middle = |samples: &Vec<(Measured, Latencies)>| {
        let measured = Measured::median(samples.iter().map(|(measured, _)| measured));
        let latencies = Latencies {
            p50: median(samples.iter().map(|(_, latencies)| latencies.p50)),
            p99: median(samples.iter().map(|(_, latencies)| latencies.p99)),
        };
        (measured, latencies)
    };
    Ok(samples.iter().map(middle).unzip())
}

/// The share of exchanges that analysis shed in between; none for what has no analysis.
fn shed(before: Option<(f64, f64)>, after: Option<(f64, f64)>) -> Option<f64> {
    let ((offered_before, shed_before), (offered, shed)) = before.zip(after)?;
    Some((shed - shed_before) / (offered - offered_before).max(1.0))
}

/// Medians of one subject.
struct Measured {
    /// Processor time per request of the whole process, µs.
    whole: f64,
    /// Of that, threads that serve traffic and analyse it, µs.
    node: f64,
    /// Requests per second.
    rate: f64,
    /// The share of them that was forwarded and not analysed.
    shed: Option<f64>,
}

impl Measured {
    fn median<'m>(samples: impl Iterator<Item = &'m Self> + Clone) -> Self {
        let shed: Vec<f64> = samples.clone().filter_map(|one| one.shed).collect();
        Self {
            whole: median(samples.clone().map(|one| one.whole)),
            node: median(samples.clone().map(|one| one.node)),
            rate: median(samples.map(|one| one.rate)),
            shed: (!shed.is_empty()).then(|| median(shed.into_iter())),
        }
    }
}

fn measure(
    subjects: &[Subject],
    options: &ProxyOptions,
    script: &std::path::Path,
) -> Result<Vec<Measured>, Unmeasured> {
    let mut samples: Vec<Vec<Measured>> = subjects.iter().map(|_| Vec::new()).collect();
    for round in 0..=options.rounds {
        for (subject, samples) in subjects.iter().zip(&mut samples) {
            let (before, analysed) = (subject.processor_time()?, subject.analysed());
            let run = closed_loop(subject.address, CONNECTIONS, script, options.length)?;
            let (after, analysed_after) = (subject.processor_time()?, subject.analysed());
            // The first round warms up.
            if round > 0 {
                samples.push(Measured {
                    whole: (after.whole - before.whole) / run.requests,
                    node: (after.node - before.node) / run.requests,
                    rate: run.requests / run.seconds,
                    shed: shed(analysed, analysed_after),
                });
            }
        }
    }
    Ok(samples.iter().map(|samples| Measured::median(samples.iter())).collect())
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn add_section(
    table: &mut Table,
    title: impl Into<String>,
    subjects: &[Subject],
    measured: &[Measured],
    latencies: Option<&[Latencies]>,
) {
    let Some(nginx) = measured.first() else { return };
    let mut figures = Vec::new();
    let ratio = |name: &str, value: f64, bound: Option<f64>| {
        let budget = bound.map_or(Budget::None, Budget::AtMost);
        Figure::new(format!("{name}: CPU, nginx = 1"), value / nginx.whole, "×", budget)
    };
    for (subject, measured) in subjects.iter().zip(measured) {
        let name = subject.kind.name();
        figures.push(Figure::new(format!("{name}: CPU per request"), measured.whole, "µs", Budget::None));
        figures.push(Figure::new(format!("{name}: requests per second"), measured.rate, "1/s", Budget::None));
        match subject.kind {
            Kind::Nginx => {}
            Kind::PassThrough => figures.push(ratio(name, measured.whole, Some(1.1))),
            Kind::Captured => figures.push(ratio(name, measured.whole, None)),
            Kind::Whole(_) => {
                let node = "proxy and analysis (its threads in all in one)";
                figures.push(ratio(node, measured.node, Some(1.5)));
                figures.push(ratio(name, measured.whole, Some(2.0)));
                if let Some(shed) = measured.shed {
                    figures.push(Figure::new(format!("{name}: not analysed"), 100.0 * shed, "%", Budget::None));
                }
            }
        }
    }
    if let Some(latencies) = latencies {
        let Some(nginx) = latencies.first() else { return };
        for (subject, latency) in subjects.iter().zip(latencies) {
            let name = subject.kind.name();
            figures.push(Figure::new(format!("{name}: p50"), latency.p50, "µs", Budget::None));
            figures.push(Figure::new(format!("{name}: p99"), latency.p99, "µs", Budget::None));
            if matches!(subject.kind, Kind::Whole(_)) {
                let added = (latency.p99 - nginx.p99) / 1_000.0;
                figures.push(Figure::new(format!("{name}: p99 beyond nginx's"), added, "ms", Budget::AtMost(1.0)));
            }
        }
    }
    table.section(title, figures);
}
