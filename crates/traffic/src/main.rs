//! The simulator's command line.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use threadline_traffic::truth::TruthWriter;
use threadline_traffic::{HarRecorder, Simulation, SimulationSettings, Upstream, UpstreamSettings};

/// Simulated API traffic: a demo shop and the people and programs that use it.
#[derive(Parser)]
#[command(
    name = "threadline-traffic",
    version,
    about = "Simulated API traffic: a demo shop and the people and programs that use it",
    after_help = "Start here:\n  threadline-traffic upstream --listen 127.0.0.1:9000\n  threadline serve --upstream http://127.0.0.1:9000\n  threadline-traffic clients --target http://127.0.0.1:8080 --truth truth.jsonl\n\nThe same seed gives the same actors and requests."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the demo shop: sign-in, catalogue, cart, orders, GraphQL, server-sent events.
    #[command(
        after_help = "Ways to sign in (the password of a user follows from the name; clients know it):\n  POST /login            JSON {user, password, channel}: channel web sets the cookie connect.sid, others get {token}\n  POST /mobile/session   a JWT and a refresh token\n  POST /token/refresh    a new token for an old one\n\nAbout one request in ninety is answered with a 5xx, always the same ones for a seed."
    )]
    Upstream(UpstreamOptions),
    /// Run the clients: people who shop, a mobile app, a partner, a crawler, somebody who enumerates orders, and more.
    #[command(
        after_help = "Each actor connects from a loopback address of its own (127.0.x.y) where the system allows it, and sends a\nW3C traceparent with every request. --truth writes one JSON line per request: who sent it and what identified\nthem. Ctrl-C stops, finishes what is under way, and prints counts."
    )]
    Clients(ClientOptions),
}

#[derive(Args)]
struct UpstreamOptions {
    /// Where to listen; port 0 takes a free one and prints it.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:9000")]
    listen: SocketAddr,
    /// What the shop issues and when it fails follows from this.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Mean time to answer, milliseconds; 0 answers at once, server-sent events included.
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 8)]
    latency: u64,
}

#[derive(Args)]
struct ClientOptions {
    /// Where the clients connect, usually the proxy.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    target: String,
    /// Which actors appear and what they do.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How fast they act: 1 is a lively demo, 10 ten times as fast, 0 as fast as possible.
    #[arg(long, default_value_t = 1.0)]
    pace: f64,
    /// Stop after this many requests in all; without it, go on until interrupted.
    #[arg(long)]
    requests: Option<u64>,
    /// Actors active at a time.
    #[arg(long, default_value_t = 16)]
    actors: usize,
    /// Let the mobile app speak HTTP/2 (cleartext, prior knowledge).
    #[arg(long)]
    http2: bool,
    /// Write who sent which request to this file, as JSON Lines.
    #[arg(long, value_name = "FILE")]
    truth: Option<PathBuf>,
    /// Record what the clients see to this file, as HAR.
    #[arg(long, value_name = "FILE")]
    har: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Upstream(options) => upstream(options).await,
        Command::Clients(options) => clients(options).await,
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let mut message = format!("threadline-traffic: {error}");
            let mut source = error.source();
            while let Some(cause) = source {
                message.push_str(&format!(": {cause}"));
                source = cause.source();
            }
            let _ = writeln!(io::stderr(), "{message}");
            ExitCode::FAILURE
        }
    }
}

type Failure = Box<dyn std::error::Error>;

async fn upstream(options: UpstreamOptions) -> Result<(), Failure> {
    let latency = Duration::from_millis(options.latency);
    let mut settings = UpstreamSettings { seed: options.seed, latency, ..UpstreamSettings::default() };
    if latency.is_zero() {
        settings.event_interval = Duration::ZERO;
    }
    let upstream = Upstream::bind(options.listen, settings).await?;
    writeln!(io::stdout(), "the shop is at http://{}", upstream.local_address())?;
    upstream.run(interrupted()).await;
    Ok(())
}

async fn clients(options: ClientOptions) -> Result<(), Failure> {
    let simulation = Simulation::new(SimulationSettings {
        seed: options.seed,
        target: options.target,
        requests: options.requests,
        pace: options.pace,
        actors: options.actors,
        http2: options.http2,
    })
    .await?;
    let truth = match &options.truth {
        Some(path) => TruthWriter::lines(BufWriter::new(File::create(path)?)),
        None => TruthWriter::discard(),
    };
    let simulation = match &options.har {
        Some(path) => simulation.with_recorder(HarRecorder::begin(BufWriter::new(File::create(path)?))?),
        None => simulation,
    };
    let report = simulation.run(truth, interrupted()).await?;
    writeln!(io::stdout(), "{report}")?;
    Ok(())
}

/// Done when the process is asked to stop (Ctrl-C, or SIGTERM where there is one).
async fn interrupted() {
    #[cfg(unix)]
    if let Ok(mut terminate) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        return;
    }
    // Without a signal handler the process is ended by the signal itself.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
