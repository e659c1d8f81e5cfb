//! The load: wrk for a closed loop, and a generator of our own for a fixed rate, which wrk does not know.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::subject::pinned;
use super::{CONNECTIONS, Unmeasured};

/// What a closed loop did.
pub(super) struct Run {
    pub(super) requests: f64,
    pub(super) seconds: f64,
}

/// Sends as fast as answers come.
pub(super) fn closed_loop(
    address: SocketAddr,
    connections: usize,
    script: &Path,
    length: Duration,
) -> Result<Run, Unmeasured> {
    let start = Instant::now();
    let output = pinned(LOAD_CORE, "wrk")
        .args(["-t1", "-c", &connections.to_string(), "-d", &format!("{}s", length.as_secs().max(1)), "-s"])
        .arg(script)
        .arg(format!("http://{address}/"))
        .output()
        .map_err(|error| Unmeasured::new("wrk (Debian package wrk)", error))?;
    let seconds = start.elapsed().as_secs_f64();
    let said = String::from_utf8_lossy(&output.stdout);
    if said.contains("Non-2xx") || said.contains("Socket errors") {
        return Err(Unmeasured::new("errors under load", said));
    }
    let requests = said
        .lines()
        .find_map(|line| line.trim().split_once(" requests in"))
        .and_then(|(count, _)| count.parse().ok())
        .ok_or_else(|| Unmeasured::new("wrk said something else", String::from_utf8_lossy(&output.stderr)))?;
    Ok(Run { requests, seconds })
}

/// The core of load and backend; the proxy has the other one.
pub(super) const LOAD_CORE: usize = 1;

/// Latencies, µs.
pub(super) struct Latencies {
    pub(super) p50: f64,
    pub(super) p99: f64,
}

/// Sends at a fixed rate. Runs as a process of its own, on the load's core.
pub(super) fn fixed_rate(
    address: SocketAddr,
    requests: &[Vec<u8>],
    rate: f64,
    length: Duration,
) -> Result<Latencies, Unmeasured> {
    let failed = |error: String| Unmeasured::new("the load at a fixed rate", error);
    let own = std::env::current_exe().map_err(|error| failed(error.to_string()))?;
    let folder = tempfile::tempdir().map_err(|error| failed(error.to_string()))?;
    let file = folder.path().join("requests.json");
    let written = serde_json::to_vec(requests).map_err(|error| failed(error.to_string()))?;
    std::fs::write(&file, written).map_err(|error| failed(error.to_string()))?;
    let output = pinned(LOAD_CORE, &own)
        .args([super::subject::LOAD, &address.to_string(), &rate.to_string(), &length.as_secs_f64().to_string()])
        .arg(&file)
        .output()
        .map_err(|error| failed(error.to_string()))?;
    let said = String::from_utf8_lossy(&output.stdout);
    let mut figures = said.split_whitespace().map_while(|figure| figure.parse().ok());
    match (figures.next(), figures.next()) {
        (Some(p50), Some(p99)) if output.status.success() => Ok(Latencies { p50, p99 }),
        _ => Err(failed(String::from_utf8_lossy(&output.stderr).into_owned())),
    }
}

/// The process that [`fixed_rate`] starts: prints p50 and p99 in microseconds.
pub(super) fn generate(address: SocketAddr, rate: f64, length: Duration, requests: &[Vec<u8>]) -> std::io::Result<()> {
    let start = Instant::now() + Duration::from_millis(50);
    let interval = Duration::from_secs_f64(1.0 / rate);
    let mut latencies = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..CONNECTIONS)
            .map(|number| scope.spawn(move || one_connection(address, requests, start, interval, length, number)))
            .collect();
        let mut latencies = Vec::new();
        for thread in threads {
            latencies.extend(thread.join().map_err(|_| std::io::Error::other("a connection's thread panicked"))??);
        }
        std::io::Result::Ok(latencies)
    })?;
    latencies.sort_unstable();
    let at = |share: f64| {
        let position = ((latencies.len() as f64 * share) as usize).min(latencies.len().saturating_sub(1));
        latencies.get(position).map_or(f64::NAN, Duration::as_secs_f64) * 1e6
    };
    println!("{:.1} {:.1}", at(0.5), at(0.99));
    Ok(())
}

/// Every [`CONNECTIONS`]th request of the schedule. A request that could not leave in time, because the one before
/// was not answered yet, counts from when it should have left.
fn one_connection(
    address: SocketAddr,
    requests: &[Vec<u8>],
    start: Instant,
    interval: Duration,
    length: Duration,
    number: usize,
) -> std::io::Result<Vec<Duration>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let mut latencies = Vec::new();
    let mut buffer = vec![0; 64 << 10];
    for turn in (number..).step_by(CONNECTIONS) {
        let scheduled = interval.mul_f64(turn as f64);
        if scheduled >= length {
            break;
        }
        let due = start + scheduled;
        let late = due <= Instant::now();
        if !late {
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
        }
        let from = if late { due } else { Instant::now() };
        stream.write_all(&requests[turn % requests.len()])?;
        read_response(&mut stream, &mut buffer)?;
        latencies.push(from.elapsed());
    }
    Ok(latencies)
}

/// Reads one response that has a Content-Length.
fn read_response(stream: &mut TcpStream, buffer: &mut [u8]) -> std::io::Result<()> {
    let mut read = 0;
    loop {
        let count = stream.read(&mut buffer[read..])?;
        if count == 0 {
            return Err(std::io::Error::other("the connection ended, or a response was too large"));
        }
        read += count;
        let seen = &buffer[..read];
        let Some(end) = seen.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&seen[..end]).to_ascii_lowercase();
        if !head.starts_with("http/1.1 2") {
            return Err(std::io::Error::other("a response was an error"));
        }
        let length: usize = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length:"))
            .and_then(|length| length.trim().parse().ok())
            .ok_or_else(|| std::io::Error::other("a response had no Content-Length"))?;
        if read >= end + 4 + length {
            return Ok(());
        }
    }
}

/// Whether a program can be started at all.
pub(super) fn can_run(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok()
}
