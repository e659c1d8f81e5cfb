//! What a start says: on the terminal for people, in a file for scripts.

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;

use serde::Serialize;

/// The addresses of a running instance.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Addresses {
    pub(crate) console_url: String,
    /// Makes the first administrator; only while there is none.
    pub(crate) first_run_url: Option<String>,
    /// `None` when no upstream is configured.
    pub(crate) proxy_url: Option<String>,
}

impl Addresses {
    /// The same with addresses that can be connected to from this machine.
    fn reachable(&self) -> Self {
        Self {
            console_url: reachable(&self.console_url),
            first_run_url: self.first_run_url.as_deref().map(reachable),
            proxy_url: self.proxy_url.as_deref().map(reachable),
        }
    }
}

/// "All addresses of this machine" is where something listens; to connect, one of them has to be named.
pub(crate) fn reachable(url: &str) -> String {
    for (every, one) in [("http://0.0.0.0:", "http://127.0.0.1:"), ("http://[::]:", "http://[::1]:")] {
        if let Some(rest) = url.strip_prefix(every) {
            return format!("{one}{rest}");
        }
    }
    url.to_owned()
}

/// Tells people where to go. The first-run link holds a one-time token: it goes to a terminal, never to a log, which is
/// where the standard output of containers and services ends.
pub(crate) fn on_terminal(addresses: &Addresses, upstream: Option<&str>, data: &Path) {
    let terminal = std::io::stdout().is_terminal();
    let text = text(&addresses.reachable(), upstream, data, terminal);
    // A closed terminal must not stop the service.
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}

fn text(addresses: &Addresses, upstream: Option<&str>, data: &Path, terminal: bool) -> String {
    let mut text = String::from("\n  Threadline is running.\n\n");
    text += &format!("  Console   {}\n", addresses.console_url);
    if let Some(url) = &addresses.first_run_url {
        text += &match terminal {
            true => format!("  Sign in   {url}\n            (once: this link makes the first administrator)\n"),
            false => format!(
                "  Sign in   {}first-run, with the one-time token in {}\n",
                addresses.console_url,
                data.join("first-run-token").display()
            ),
        };
    }
    match (&addresses.proxy_url, upstream) {
        (Some(proxy), Some(upstream)) => text += &format!("  Proxy     {proxy}  ->  {upstream}\n"),
        _ => text += "  Proxy     not started: give --upstream http://HOST:PORT to see live traffic\n",
    }
    text += &format!("  Data      {}\n\n  Ctrl-C stops it; nothing is lost.\n\n", data.display());
    text
}

/// Writes one line of JSON, readable by the owner only, in one step (a reader never sees half of it).
pub(crate) fn to_file(addresses: &Addresses, file: &Path) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(&addresses.reachable())?;
    line.push(b'\n');
    let temporary = file.with_extension("partial");
    let mut options = std::fs::OpenOptions::new();
    // A leftover might be readable by others, or a link.
    match std::fs::remove_file(&temporary) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    options.create_new(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(&temporary)?.write_all(&line)?;
    std::fs::rename(temporary, file)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn addresses(host: &str) -> Addresses {
        Addresses {
            console_url: format!("http://{host}:7070/"),
            first_run_url: Some(format!("http://{host}:7070/first-run#token=canary")),
            proxy_url: Some(format!("http://{host}:8080/")),
        }
    }

    #[test]
    fn the_one_time_token_is_shown_on_a_terminal_and_nowhere_else() {
        let shown = |terminal| text(&addresses("127.0.0.1"), None, Path::new("/data"), terminal);
        assert!(shown(true).contains("first-run#token=canary"), "{}", shown(true));
        assert!(!shown(false).contains("canary"), "{}", shown(false));
        assert!(shown(false).contains("/data/first-run-token"), "{}", shown(false));
    }

    #[test]
    fn addresses_to_listen_on_become_addresses_to_connect_to() {
        for (every, one) in [("0.0.0.0", "127.0.0.1"), ("[::]", "[::1]"), ("10.0.0.1", "10.0.0.1")] {
            let found = addresses(every).reachable();
            assert_eq!(found.console_url, format!("http://{one}:7070/"));
            assert!(found.first_run_url.unwrap().starts_with(&format!("http://{one}:7070/first-run#")));
            assert_eq!(found.proxy_url.unwrap(), format!("http://{one}:8080/"));
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_the_owners_only_whatever_was_there() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("announce.json");
        for left_over in [file.clone(), file.with_extension("partial")] {
            std::fs::write(&left_over, "").unwrap();
            std::fs::set_permissions(&left_over, std::fs::Permissions::from_mode(0o644)).unwrap();
        }
        to_file(&addresses("127.0.0.1"), &file).unwrap();
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
