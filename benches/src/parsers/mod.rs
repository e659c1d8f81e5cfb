//! The parsers, one by one: how fast eight points come out of a 64 KiB message of each format, beside the plain use of
//! the library a parser stands on and beside building a tree of the whole message; and what points cost that nothing
//! asks for, and forty instead of eight.

mod comparison;
mod messages;
mod samples;
pub(crate) mod work;

use std::hint::black_box;
use std::time::{Duration, Instant};

use threadline_model::Exchange;
use threadline_points::{Bounds, Plan, Point, PointError, Scratch, reference};

use self::samples::{SAMPLES, Sample};
use crate::table::{Budget, Figure, Table};

/// How long each figure is measured, and how often; the best is taken, because what disturbs only ever slows down.
const MEASURE: Duration = Duration::from_millis(120);
const ROUNDS: usize = 5;

/// Measures and adds the sections.
pub(crate) fn run(table: &mut Table) {
    let mut figures = Vec::new();
    for sample in SAMPLES {
        match measured(sample) {
            Ok(measured) => figures.extend(measured),
            Err(error) => println!("{} was not measured: {error}", sample.name),
        }
    }
    table.section("Parsers, one core: 8 points of a 64 KiB message, and the same bytes by other means", figures);
    match points_and_bodies() {
        Ok(figures) => table.section("Points: what is asked for, and what is not", figures),
        Err(error) => println!("Points were not measured: {error}"),
    }
}

fn compile(texts: &[impl AsRef<str>]) -> Result<Plan, Box<dyn std::error::Error>> {
    let points: Vec<Point> = texts.iter().map(|text| Point::parse(text.as_ref())).collect::<Result<_, PointError>>()?;
    Ok(Plan::compile(&points, Bounds::default())?)
}

fn measured(sample: &Sample) -> Result<Vec<Figure>, Box<dyn std::error::Error>> {
    let plan = compile(sample.points)?;
    let text = (sample.make)();
    let exchange = messages::exchange(sample.place, text.clone());
    let found = plan.extract(&exchange, &mut Scratch::default());
    if let Some(missing) = (0..found.len()).find(|index| found.get(*index).value().is_none()) {
        return Err(format!("`{}` finds nothing: {:?}", sample.points[missing], found.parse_errors()).into());
    }
    let ours = extraction(&plan, &exchange);
    // Of compressed texts what comes out counts.
    let bytes = sample.decoded_bytes.unwrap_or(text.len()) as f64;
    let speed = |nanoseconds: f64| bytes * 1000.0 / nanoseconds;
    let mut figures = vec![Figure::new(format!("{}: Threadline", sample.name), speed(ours), "MB/s", Budget::None)];
    for other in sample.others {
        let theirs = best(|| {
            (other.work)(black_box(&text));
        });
        let name = format!("{}: {} ({:.0} MB/s)", sample.name, other.name, speed(theirs));
        let budget = other.at_least.map_or(Budget::None, Budget::AtLeast);
        figures.push(Figure::new(name, theirs / ours, "x slower", budget));
    }
    Ok(figures)
}

/// What a plan costs by the number of its points, and beside bodies that it does not ask for.
fn points_and_bodies() -> Result<Vec<Figure>, Box<dyn std::error::Error>> {
    let head = compile(&["request > header AUTHORIZATION", "request > query token", "response > status"])?;
    let beside = |bytes| extraction(&head, &reference::exchange(bytes));
    let (small, large) = (beside(1024), beside(256 * 1024));
    let of_document = |points: usize| -> Result<f64, Box<dyn std::error::Error>> {
        let texts: Vec<String> = (0..points).map(samples::document_point).collect();
        Ok(extraction(&compile(&texts)?, &reference::exchange(64 * 1024)))
    };
    let (eight, forty) = (of_document(8)?, of_document(40)?);
    Ok(vec![
        Figure::new("3 points of the head, bodies of 1 KiB", small, "ns", Budget::None),
        Figure::new("the same with bodies of 256 KiB", large / small, "x", Budget::AtMost(1.1)),
        Figure::new("8 points of 64 KiB of JSON", eight / 1000.0, "µs", Budget::None),
        Figure::new("40 points of the same", forty / eight, "x", Budget::AtMost(3.0)),
    ])
}

fn extraction(plan: &Plan, exchange: &Exchange) -> f64 {
    let mut scratch = Scratch::default();
    best(|| {
        black_box(plan.extract(black_box(exchange), &mut scratch));
    })
}

/// The best of the rounds: nanoseconds that one call takes.
fn best(mut work: impl FnMut()) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let started = Instant::now();
        let mut calls = 0_u32;
        while started.elapsed() < MEASURE {
            work();
            calls += 1;
        }
        best = best.min(started.elapsed().as_nanos() as f64 / f64::from(calls));
    }
    best
}
