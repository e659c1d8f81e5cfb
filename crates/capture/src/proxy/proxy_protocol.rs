//! The PROXY protocol, versions 1 and 2 (haproxy.org, "The PROXY protocol", 2.1 and 2.2): for whom a proxy in front
//! opened a connection, said in its first bytes. Read from trusted peers only, which is for the caller to know.
//!
//! Strict: what is not exactly a header is a fault, never a guess. Addresses are all that is taken; checksums and what
//! else type-length-values hold is skipped.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How every header of version 1 begins.
const TEXT: &[u8] = b"PROXY ";
/// How every header of version 2 begins.
const BINARY: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// Longest header of version 1, line end included (section 2.1).
const MAXIMUM_TEXT_BYTES: usize = 107;
/// Fixed part of a header of version 2.
const BINARY_HEAD_BYTES: usize = 16;
/// Longest rest of a header of version 2, addresses and type-length-values. The format has room for 64 KiB, proxies send
/// a few hundred bytes.
const MAXIMUM_BINARY_BYTES: usize = 4 << 10;

/// What the first bytes of a connection are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beginning {
    /// Something else.
    Absent,
    /// More has to be read to know.
    Incomplete,
    /// A header.
    Header {
        /// Its length, bytes; what follows is the client's.
        length: usize,
        /// For whom the connection was opened. None where that is the proxy itself (LOCAL), unknown to it, or no
        /// internet address: the connection's own address counts then.
        source: Option<IpAddr>,
    },
    /// Begins like a header and is none.
    Malformed,
}

/// Judges the first bytes of a connection.
pub(super) fn read_beginning(bytes: &[u8]) -> Beginning {
    if begins(bytes, TEXT) {
        if bytes.len() < TEXT.len() { Beginning::Incomplete } else { read_text(bytes) }
    } else if begins(bytes, BINARY) {
        if bytes.len() < BINARY_HEAD_BYTES { Beginning::Incomplete } else { read_binary(bytes) }
    } else {
        Beginning::Absent
    }
}

/// Whether the bytes there are agree with a signature.
fn begins(bytes: &[u8], signature: &[u8]) -> bool {
    let compared = bytes.len().min(signature.len());
    bytes[..compared] == signature[..compared]
}

/// Version 1: `PROXY TCP4 192.0.2.1 10.0.0.1 56324 443\r\n`.
fn read_text(bytes: &[u8]) -> Beginning {
    let within = &bytes[..bytes.len().min(MAXIMUM_TEXT_BYTES)];
    let Some(end) = memchr::memchr(b'\n', within) else {
        return if bytes.len() < MAXIMUM_TEXT_BYTES { Beginning::Incomplete } else { Beginning::Malformed };
    };
    let line = within[TEXT.len()..end].strip_suffix(b"\r").and_then(|line| std::str::from_utf8(line).ok());
    match line.and_then(read_line) {
        Some(source) => Beginning::Header { length: end + 1, source },
        None => Beginning::Malformed,
    }
}

/// The line behind `PROXY `. The outer `None` is a fault.
fn read_line(line: &str) -> Option<Option<IpAddr>> {
    // What stands behind it is to be ignored.
    if line == "UNKNOWN" || line.starts_with("UNKNOWN ") {
        return Some(None);
    }
    let mut words = line.split(' ');
    let source = match words.next()? {
        "TCP4" => {
            let source: Ipv4Addr = words.next()?.parse().ok()?;
            let _destination: Ipv4Addr = words.next()?.parse().ok()?;
            IpAddr::V4(source)
        }
        "TCP6" => {
            let source: Ipv6Addr = words.next()?.parse().ok()?;
            let _destination: Ipv6Addr = words.next()?.parse().ok()?;
            IpAddr::V6(source)
        }
        _ => return None,
    };
    let is_port = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit()) && word.parse::<u16>().is_ok();
    (is_port(words.next()?) && is_port(words.next()?) && words.next().is_none()).then(|| Some(source.to_canonical()))
}

/// Version 2: signature, version and command, family and transport, length, addresses, type-length-values.
fn read_binary(bytes: &[u8]) -> Beginning {
    let length = usize::from(u16::from_be_bytes([bytes[14], bytes[15]]));
    if length > MAXIMUM_BINARY_BYTES {
        return Beginning::Malformed;
    }
    // Judged before the rest has come: whoever sends nonsense is not waited for.
    let (address_bytes, is_local) = match (bytes[12], bytes[13]) {
        (0x20, _) => (0, true),
        (0x21, 0x00) => (0, false),
        (0x21, 0x11) => (12, false),
        (0x21, 0x21) => (36, false),
        // A UNIX socket: two paths.
        (0x21, 0x31) => (216, false),
        // Another version or command; datagrams do not come over a connection.
        _ => return Beginning::Malformed,
    };
    if length < address_bytes {
        return Beginning::Malformed;
    }
    let Some(rest) = bytes.get(BINARY_HEAD_BYTES..BINARY_HEAD_BYTES + length) else { return Beginning::Incomplete };
    let source = match bytes[13] {
        _ if is_local => None,
        0x11 => rest.first_chunk::<4>().map(|octets| IpAddr::from(*octets)),
        0x21 => rest.first_chunk::<16>().map(|octets| IpAddr::from(*octets)),
        _ => None,
    };
    Beginning::Header { length: BINARY_HEAD_BYTES + length, source: source.map(|address| address.to_canonical()) }
}

/// The fuzz target `proxy_protocol`: a verdict holds however the bytes come, and nothing beyond the bounds is waited
/// for.
pub fn fuzz_proxy_protocol(bytes: &[u8]) {
    let whole = read_beginning(bytes);
    if let Beginning::Header { length, .. } = whole {
        assert!(length <= bytes.len() && length <= BINARY_HEAD_BYTES + MAXIMUM_BINARY_BYTES);
    }
    if whole == Beginning::Incomplete {
        assert!(bytes.len() < BINARY_HEAD_BYTES + MAXIMUM_BINARY_BYTES);
    }
    let first = (0..bytes.len()).map(|end| read_beginning(&bytes[..end])).find(|read| *read != Beginning::Incomplete);
    assert_eq!(first.unwrap_or(whole), whole, "a later byte changed a verdict");
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// A header of version 2.
    pub(in super::super) fn binary(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let mut header = BINARY.to_vec();
        header.extend([command, family]);
        header.extend(u16::try_from(rest.len()).unwrap().to_be_bytes());
        header.extend(rest);
        header
    }

    #[test]
    fn headers_of_version_1_name_the_client() {
        for (line, source) in [
            ("PROXY TCP4 192.0.2.1 10.0.0.1 56324 443\r\n", Some("192.0.2.1")),
            ("PROXY TCP6 2001:db8::1 ::1 1 65535\r\n", Some("2001:db8::1")),
            ("PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n", Some("192.0.2.1")),
            ("PROXY UNKNOWN\r\n", None),
            ("PROXY UNKNOWN ffff::1 nonsense\r\n", None),
        ] {
            let read = read_beginning(format!("{line}GET / HTTP/1.1\r\n").as_bytes());
            let source = source.map(|address| address.parse().unwrap());
            assert_eq!(read, Beginning::Header { length: line.len(), source }, "{line}");
            fuzz_proxy_protocol(line.as_bytes());
        }
    }

    #[test]
    fn what_only_begins_like_version_1_is_refused() {
        let long = format!("PROXY UNKNOWN {}", "a".repeat(93));
        for line in [
            "PROXY TCP4 192.0.2.1 10.0.0.1 56324 443\n",
            "PROXY TCP4 192.0.2.1  10.0.0.1 56324 443\r\n",
            "PROXY TCP4 192.0.2.1 10.0.0.1 56324\r\n",
            "PROXY TCP4 192.0.2.1 10.0.0.1 56324 443 \r\n",
            "PROXY TCP4 192.0.2.1 10.0.0.1 56324 65536\r\n",
            "PROXY TCP4 192.0.2.1 10.0.0.1 +1 443\r\n",
            "PROXY TCP4 2001:db8::1 ::1 1 2\r\n",
            "PROXY TCP6 192.0.2.1 10.0.0.1 1 2\r\n",
            "PROXY UDP4 192.0.2.1 10.0.0.1 1 2\r\n",
            "PROXY UNKNOWNX\r\n",
            "PROXY \r\n",
            &long,
        ] {
            assert_eq!(read_beginning(line.as_bytes()), Beginning::Malformed, "{line}");
            fuzz_proxy_protocol(line.as_bytes());
        }
        assert_eq!(read_beginning(&long.as_bytes()[..106]), Beginning::Incomplete);
    }

    #[test]
    fn headers_of_version_2_name_the_client() {
        let four = [192, 0, 2, 1, 10, 0, 0, 1, 1, 2, 3, 4];
        let with_values = [four.as_slice(), &[0x04, 0, 1, 0xff]].concat();
        let mut six = [0; 36];
        six[..4].copy_from_slice(&[0x20, 0x01, 0x0d, 0xb8]);
        for (command, family, rest, source) in [
            (0x21, 0x11, four.as_slice(), Some("192.0.2.1")),
            (0x21, 0x11, &with_values, Some("192.0.2.1")),
            (0x21, 0x21, &six, Some("2001:db8::")),
            (0x21, 0x31, &[0; 216], None),
            (0x21, 0x00, &[], None),
            (0x20, 0x00, &[], None),
            (0x20, 0x11, &four, None),
        ] {
            let header = binary(command, family, rest);
            let source = source.map(|address| address.parse().unwrap());
            assert_eq!(read_beginning(&header), Beginning::Header { length: header.len(), source });
            fuzz_proxy_protocol(&header);
        }
    }

    #[test]
    fn what_only_begins_like_version_2_is_refused() {
        for (command, family, rest) in [
            (0x21, 0x11, vec![0; 11]),
            (0x21, 0x21, vec![0; 35]),
            (0x21, 0x31, vec![0; 215]),
            (0x21, 0x12, vec![0; 12]),
            (0x21, 0x41, vec![0; 12]),
            (0x22, 0x11, vec![0; 12]),
            (0x11, 0x11, vec![0; 12]),
            (0x20, 0x00, vec![0; 4 << 10 | 1]),
        ] {
            assert_eq!(read_beginning(&binary(command, family, &rest)), Beginning::Malformed, "{command} {family}");
        }
        assert_eq!(read_beginning(b"\r\n\r\n"), Beginning::Incomplete);
        assert_eq!(read_beginning(b"\r\n\r\nGET"), Beginning::Absent);
        assert_eq!(read_beginning(b"PRI * HTTP/2.0"), Beginning::Absent);
        assert_eq!(read_beginning(b""), Beginning::Incomplete);
    }
}
