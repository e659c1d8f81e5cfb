//! Listening sockets: one per worker, so that the kernel spreads connections and no worker wakes another.

use std::io;
use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

use super::settings::ProxySettings;

/// Opens one listener for each worker thread, all on one address.
pub(super) fn open(settings: &ProxySettings) -> io::Result<Vec<TcpListener>> {
    let workers = settings.threads.get();
    let backlog = i32::try_from(settings.limits.backlog).unwrap_or(i32::MAX);
    let spread = workers > 1 && CAN_SPREAD;
    if spread && !settings.share_port && settings.listen.port() != 0 {
        // SO_REUSEPORT would let two proxies of one user share a port without either noticing.
        bind(settings.listen, false)?;
    }
    let first = bind(settings.listen, spread || settings.share_port)?;
    first.listen(backlog)?;
    let first = TcpListener::from(first);
    let address = first.local_addr()?;
    let mut listeners = vec![first];
    while listeners.len() < workers {
        listeners.push(if spread {
            let socket = bind(address, true)?;
            socket.listen(backlog)?;
            socket.into()
        } else {
            listeners[0].try_clone()?
        });
    }
    Ok(listeners)
}

/// Linux spreads connections over sockets that share a port; elsewhere the last one may get them all.
const CAN_SPREAD: bool = cfg!(target_os = "linux");

fn bind(address: SocketAddr, share: bool) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    #[cfg(unix)]
    {
        // A restarted proxy must not wait for connections that linger in TIME_WAIT.
        socket.set_reuse_address(true)?;
        if share {
            socket.set_reuse_port(true)?;
        }
    }
    #[cfg(not(unix))]
    let _ = share;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}
