//! The processes that are measured, the backend behind them, and the hidden commands with which this program starts
//! itself as one of them.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use threadline_capture::ExchangeSink;
use threadline_capture::proxy::{Proxy, ProxySettings};
use threadline_model::{Exchange, SystemClock};
use threadline_traffic::generate::REFERENCE_PARAMETERS;

use super::load::{LOAD_CORE, can_run, generate};
use super::{CONNECTIONS, Unmeasured};

/// What is measured.
pub(super) enum Kind {
    /// Debian's nginx.
    Nginx,
    /// The proxy, nothing recorded.
    PassThrough,
    /// The proxy, every exchange recorded and dropped.
    Captured,
    /// `threadline serve`: proxy, analysis, store.
    Whole(PathBuf),
}

impl Kind {
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::PassThrough => "pass-through",
            Self::Captured => "recorded, then dropped",
            Self::Whole(_) => "all in one process",
        }
    }
}

/// A running process and where it listens. Killed when dropped.
pub(super) struct Subject {
    pub(super) kind: Kind,
    pub(super) address: SocketAddr,
    process: Child,
    /// Where it shows its metrics.
    console: Option<SocketAddr>,
}

impl Drop for Subject {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The backend behind all of them.
pub(super) struct Backend {
    pub(super) address: SocketAddr,
    process: Child,
}

impl Drop for Backend {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Processor time so far, µs.
pub(super) struct ProcessorTime {
    pub(super) whole: f64,
    /// Threads that serve traffic or analyse it.
    pub(super) node: f64,
}

/// The core of the proxy.
const PROXY_CORE: usize = 0;

/// A command bound to one core, where there are two.
pub(super) fn pinned(core: usize, program: impl AsRef<OsStr>) -> Command {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    if cores < 2 || !can_run("taskset") {
        return Command::new(program);
    }
    let mut command = Command::new("taskset");
    command.arg("-c").arg(core.to_string()).arg(program);
    command
}

/// Starts nginx with a fixed answer.
pub(super) fn backend(folder: &Path, response: &str) -> Result<Backend, Unmeasured> {
    let address = free_address()?;
    // nginx reads `$` as a variable and has no way to write it.
    let text = response.replace('$', "S").replace('\\', "\\\\").replace('\'', "\\'");
    let server = format!("server {{ listen {address} backlog=1024; location / {{ return 200 '{text}'; }} }}");
    let process = nginx(folder, "backend", &server, LOAD_CORE)?;
    wait_for(address)?;
    Ok(Backend { address, process })
}

impl Subject {
    /// Starts one in front of `backend`.
    pub(super) fn start(kind: Kind, folder: &Path, backend: SocketAddr) -> Result<Self, Unmeasured> {
        let mut console = None;
        let (process, address) = match &kind {
            Kind::Nginx => {
                let address = free_address()?;
                // What documentation recommends for a reverse proxy: keep-alive on both sides, the client's address.
                let server = format!(
                    "upstream backend {{ server {backend}; keepalive {CONNECTIONS}; keepalive_requests 1000000000; }}
                     server {{ listen {address} backlog=1024; location / {{
                         proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection '';
                         proxy_set_header Host $http_host;
                         proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
                         proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Forwarded-Host $http_host;
                     }} }}"
                );
                (nginx(folder, "proxy", &server, PROXY_CORE)?, address)
            }
            Kind::PassThrough => own_process("pass-through", backend)?,
            Kind::Captured => own_process("captured", backend)?,
            Kind::Whole(binary) => {
                let (process, address, address_of_console) = serve(binary, folder, backend)?;
                console = Some(address_of_console);
                (process, address)
            }
        };
        let subject = Self { kind, address, process, console };
        wait_for(address)?;
        Ok(subject)
    }

    /// Exchanges that its analysis was offered so far, and how many of them it shed.
    pub(super) fn analysed(&self) -> Option<(f64, f64)> {
        let mut stream = TcpStream::connect(self.console?).ok()?;
        stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n").ok()?;
        let mut text = String::new();
        stream.take(1 << 20).read_to_string(&mut text).ok()?;
        let count = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
        Some((count("threadline_exchanges_received_total ")?, count("threadline_exchanges_shed_total ")?))
    }

    /// Processor time of the process so far.
    pub(super) fn processor_time(&self) -> Result<ProcessorTime, Unmeasured> {
        let failed = |error: std::io::Error| Unmeasured::new("processor time from /proc", error);
        let tasks = PathBuf::from(format!("/proc/{}/task", self.process.id()));
        let mut time = ProcessorTime { whole: 0.0, node: 0.0 };
        for task in std::fs::read_dir(tasks).map_err(failed)? {
            let task = task.map_err(failed)?.path();
            // A thread may end meanwhile.
            let Ok(stat) = std::fs::read_to_string(task.join("schedstat")) else { continue };
            let name = std::fs::read_to_string(task.join("comm")).unwrap_or_default();
            let nanoseconds: f64 = stat.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or(0.0);
            time.whole += nanoseconds / 1_000.0;
            if name.starts_with("proxy-") || name.starts_with("analysis") {
                time.node += nanoseconds / 1_000.0;
            }
        }
        Ok(time)
    }
}

fn nginx(folder: &Path, name: &str, servers: &str, core: usize) -> Result<Child, Unmeasured> {
    let failed = |error: std::io::Error| Unmeasured::new("nginx (Debian package nginx-light)", error);
    let own = folder.join(name);
    std::fs::create_dir(&own).map_err(failed)?;
    let configuration = own.join("nginx.conf");
    let own = own.display();
    // One process: what nginx costs is then all in one place.
    let text = format!(
        "worker_processes 1; daemon off; master_process off; error_log {own}/error.log; pid {own}/pid;
         events {{ worker_connections 1024; }}
         http {{ access_log off; keepalive_requests 1000000000; default_type application/json;
             client_body_temp_path {own}/body; proxy_temp_path {own}/proxied; fastcgi_temp_path {own}/fastcgi;
             uwsgi_temp_path {own}/uwsgi; scgi_temp_path {own}/scgi;
             {servers} }}\n"
    );
    std::fs::write(&configuration, text).map_err(failed)?;
    let binary = if Path::new("/usr/sbin/nginx").exists() { "/usr/sbin/nginx" } else { "nginx" };
    pinned(core, binary).arg("-c").arg(&configuration).stderr(Stdio::null()).spawn().map_err(failed)
}

/// Starts this program as a proxy; it prints where it listens.
fn own_process(variant: &str, backend: SocketAddr) -> Result<(Child, SocketAddr), Unmeasured> {
    let failed = |error: std::io::Error| Unmeasured::new("the proxy", error);
    let own = std::env::current_exe().map_err(failed)?;
    let mut process = pinned(PROXY_CORE, own)
        .args([SUBJECT, variant, &format!("http://{backend}")])
        .stdout(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let mut line = String::new();
    if let Some(said) = process.stdout.take() {
        BufReader::new(said).read_line(&mut line).map_err(failed)?;
    }
    let address = line.trim().parse().map_err(|_| Unmeasured::new("the proxy", "did not say where it listens"))?;
    Ok((process, address))
}

/// Starts `threadline serve` with the reference policy on an empty data folder.
fn serve(binary: &Path, folder: &Path, backend: SocketAddr) -> Result<(Child, SocketAddr, SocketAddr), Unmeasured> {
    let failed = |error: &dyn std::fmt::Display| Unmeasured::new("threadline serve", error);
    let parameters: Vec<_> = REFERENCE_PARAMETERS
        .iter()
        .map(|one| json!({"name": one.name, "point": one.point, "type": one.kind, "group": one.group}))
        .collect();
    let configuration = json!({
        "data": folder.join("data"),
        "proxy": {"listen": "127.0.0.1:0", "upstream": format!("http://{backend}"), "threads": 1},
        "hub": {"listen": "127.0.0.1:0"},
        "log": {"filter": "warn"},
        "policy": {"parameters": parameters},
    });
    // JSON is YAML.
    let file = folder.join("threadline.yaml");
    std::fs::write(&file, configuration.to_string()).map_err(|error| failed(&error))?;
    let announcement = folder.join("announcement.json");
    let process = pinned(PROXY_CORE, binary)
        .arg("serve")
        .arg("--config")
        .arg(&file)
        .arg("--announce")
        .arg(&announcement)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| failed(&error))?;
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        let said = std::fs::read(&announcement)
            .ok()
            .and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok());
        let address = |name: &str| -> Option<SocketAddr> {
            said.as_ref()?[name].as_str()?.trim_start_matches("http://").trim_end_matches('/').parse().ok()
        };
        if let (Some(proxy), Some(console)) = (address("proxy_url"), address("console_url")) {
            return Ok((process, proxy, console));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Err(failed(&"did not come up"))
}

const PATIENCE: Duration = Duration::from_secs(60);

fn free_address() -> Result<SocketAddr, Unmeasured> {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .map_err(|error| Unmeasured::new("a free port", error))
}

fn wait_for(address: SocketAddr) -> Result<(), Unmeasured> {
    let start = Instant::now();
    while TcpStream::connect(address).is_err() {
        if start.elapsed() > PATIENCE {
            return Err(Unmeasured::new("nobody listens", address));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

/// Hidden commands.
pub(super) const SUBJECT: &str = "--as-proxy-under-test";
pub(super) const LOAD: &str = "--as-load";

/// If this process was started by [`super::run`] as a part of itself: acts as that part, and says so when it ends.
pub(crate) fn act() -> bool {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments[..] {
        [SUBJECT, variant, upstream] => be_proxy(variant == "captured", upstream),
        [LOAD, address, rate, seconds, file] => be_load(address, rate, seconds, file),
        _ => return false,
    };
    if let Err(error) = result {
        println!("{error}");
    }
    true
}

type Failure = Box<dyn std::error::Error>;

fn be_proxy(records: bool, upstream: &str) -> Result<(), Failure> {
    let mut settings = ProxySettings::new(SocketAddr::from(([127, 0, 0, 1], 0)), upstream.parse()?);
    settings.threads = std::num::NonZeroUsize::MIN;
    let proxy = Proxy::bind(settings, Arc::new(Drain { records }), Arc::new(SystemClock))?;
    println!("{}", proxy.local_address());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(proxy.run(std::future::pending()))?)
}

fn be_load(address: &str, rate: &str, seconds: &str, file: &str) -> Result<(), Failure> {
    let requests: Vec<Vec<u8>> = serde_json::from_slice(&std::fs::read(file)?)?;
    Ok(generate(address.parse()?, rate.parse()?, Duration::try_from_secs_f64(seconds.parse()?)?, &requests)?)
}

/// Where exchanges end here.
struct Drain {
    records: bool,
}

impl ExchangeSink for Drain {
    fn offer(&self, exchange: Exchange) {
        drop(exchange);
    }

    fn wants_exchanges(&self) -> bool {
        self.records
    }
}
