//! Measures extraction on the reference exchange: `cargo run --release -p threadline-points --example speed`.
#![allow(clippy::print_stdout)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use threadline_model::Exchange;
use threadline_points::{Bounds, Plan, Point, Scratch, reference};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let points = reference::points()?;
    let exchange = reference::exchange(1024);
    report("reference exchange, 8 points", &points, &exchange)?;
    for (name, texts) in [
        ("request body only", &reference::POINTS[2..3]),
        ("query only", &reference::POINTS[1..2]),
        ("token only, 2 claims", &reference::POINTS[3..5]),
    ] {
        let points: Vec<Point> = texts.iter().map(|text| Point::parse(text)).collect::<Result<_, _>>()?;
        report(name, &points, &exchange)?;
    }
    large_document()
}

/// Eight points of a 64 KiB document, beside building a `serde_json::Value` of it.
fn large_document() -> Result<(), Box<dyn std::error::Error>> {
    let exchange = reference::exchange(64 * 1024);
    let points: Vec<Point> = [
        "token",
        "currency",
        "total",
        "customer > property id",
        "customer > property email",
        "items > index 0 > property id",
        "items > index 7 > property sku",
        "items > index 300 > property price",
    ]
    .iter()
    .map(|rest| Point::parse(&format!("request > body > json > property {rest}")))
    .collect::<Result<_, _>>()?;
    let ours = report("64 KiB document, 8 points", &points, &exchange)?;
    let body = exchange.request.body.as_bytes();
    let value = best(|| {
        black_box(serde_json::from_slice::<serde_json::Value>(black_box(body)).is_ok());
    });
    println!(
        "{:<32} {:>10.0} ns   {:.1} x",
        "serde_json::Value of the same",
        nanoseconds(value),
        nanoseconds(value) / ours
    );
    Ok(())
}

fn report(name: &str, points: &[Point], exchange: &Exchange) -> Result<f64, Box<dyn std::error::Error>> {
    let plan = Plan::compile(points, Bounds::default())?;
    let mut scratch = Scratch::default();
    let each = nanoseconds(best(|| {
        black_box(plan.extract(black_box(exchange), &mut scratch));
    }));
    println!("{name:<32} {each:>10.0} ns");
    Ok(each)
}

/// The best of several rounds, per call.
fn best(mut call: impl FnMut()) -> Duration {
    // Short rounds and many of them: on a busy machine most rounds are interrupted, but not all.
    const CALLS: u32 = 200;
    (0..400)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..CALLS {
                call();
            }
            start.elapsed() / CALLS
        })
        .min()
        .unwrap_or_default()
}

fn nanoseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e9
}
