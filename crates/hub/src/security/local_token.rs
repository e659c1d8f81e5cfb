//! How commands on the same machine reach a running hub: a token and the address in files of the data folder, there
//! while the hub serves. Whoever may read the folder owns the data anyway.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use super::secret::{self, Secret, TOKEN_PREFIX};
use crate::hub::OpenError;

/// The token's file.
pub(crate) const TOKEN_FILE: &str = "local-token";
/// The address's file: a URL without a path.
pub(crate) const ADDRESS_FILE: &str = "hub-address";

/// The token of this start. Kept as a hash; the clear one is only in the file.
#[derive(Debug)]
pub(crate) struct LocalToken {
    hash: [u8; 32],
    secret: Secret,
}

impl LocalToken {
    /// A fresh one.
    pub(crate) fn generate() -> Result<Self, OpenError> {
        let secret = Secret::generate(TOKEN_PREFIX)?;
        Ok(Self { hash: secret.hash(), secret })
    }

    /// Whether somebody presents it.
    pub(crate) fn matches(&self, presented: &[u8; 32]) -> bool {
        secret::same(&self.hash, presented)
    }

    /// Writes both files; they go when the value returned is dropped.
    pub(crate) fn publish(&self, directory: &Path, address: SocketAddr) -> std::io::Result<Published> {
        let published = Published { token: directory.join(TOKEN_FILE), address: directory.join(ADDRESS_FILE) };
        crate::files::replace_private(&published.token, self.secret.reveal())?;
        crate::files::replace_private(&published.address, &format!("http://{}", reachable(address)))?;
        Ok(published)
    }
}

/// The address to connect to from this machine.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// The files while they are there.
#[derive(Debug)]
pub(crate) struct Published {
    token: PathBuf,
    address: PathBuf,
}

impl Drop for Published {
    fn drop(&mut self) {
        for path in [&self.address, &self.token] {
            if let Err(error) = crate::files::remove_if_there(path) {
                tracing::warn!(%error, "could not remove a file for local commands");
            }
        }
    }
}
