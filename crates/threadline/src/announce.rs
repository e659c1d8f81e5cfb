//! What a start says: on the terminal for people, in a file for scripts.

use std::io::Write as _;
use std::path::Path;

use serde::Serialize;

/// The addresses of a running instance.
#[derive(Debug, Serialize)]
pub(crate) struct Addresses {
    pub(crate) console_url: String,
    /// Makes the first administrator; only while there is none.
    pub(crate) first_run_url: Option<String>,
    /// `None` when no upstream is configured.
    pub(crate) proxy_url: Option<String>,
}

/// Tells people where to go. The first-run link holds a one-time token: it goes to the terminal, never to the log.
pub(crate) fn on_terminal(addresses: &Addresses, upstream: Option<&str>, data: &Path) {
    let mut text = String::from("\n  Threadline is running.\n\n");
    text += &format!("  Console   {}\n", addresses.console_url);
    if let Some(url) = &addresses.first_run_url {
        text += &format!("  Sign in   {url}\n            (once: this link makes the first administrator)\n");
    }
    match (&addresses.proxy_url, upstream) {
        (Some(proxy), Some(upstream)) => text += &format!("  Proxy     {proxy}  ->  {upstream}\n"),
        _ => text += "  Proxy     not started: give --upstream http://HOST:PORT to see live traffic\n",
    }
    text += &format!("  Data      {}\n\n  Ctrl-C stops it; nothing is lost.\n\n", data.display());
    // A closed terminal must not stop the service.
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}

/// Writes one line of JSON, readable by the owner only, in one step (a reader never sees half of it).
pub(crate) fn to_file(addresses: &Addresses, file: &Path) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(addresses)?;
    line.push(b'\n');
    let temporary = file.with_extension("partial");
    let mut options = std::fs::OpenOptions::new();
    options.create(true).truncate(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(&temporary)?.write_all(&line)?;
    std::fs::rename(temporary, file)
}
