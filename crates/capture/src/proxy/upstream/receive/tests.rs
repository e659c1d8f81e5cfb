//! Responses out of bytes, in one piece and in many.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

/// What came of a stream: status, body, trailers, whether the connection can be used again, and what is left.
#[derive(Debug, PartialEq, Eq)]
struct Received {
    status: u16,
    body: Vec<u8>,
    trailers: Option<HeaderMap>,
    over: bool,
    persistent: bool,
    rest: Vec<u8>,
}

fn receive(method: &Method, pieces: &[&[u8]]) -> Result<Option<Received>, Malformed> {
    let mut bytes = BytesMut::new();
    let mut searched = 0;
    let mut response: Option<(Receiving, Received)> = None;
    for piece in pieces {
        bytes.extend_from_slice(piece);
        if response.is_none()
            && let Some(mut head) = take_head(&mut bytes, &mut searched, 64 << 10)?
        {
            let status = head.status.as_u16();
            let (receiving, persistent) = Receiving::after(&mut head, method)?;
            let empty = Received { status, body: vec![], trailers: None, over: false, persistent, rest: vec![] };
            response = Some((receiving, empty));
        }
        let Some((receiving, received)) = &mut response else { continue };
        while let Some(frame) = receiving.take_frame(&mut bytes)? {
            match frame.into_data() {
                Ok(data) => received.body.extend_from_slice(&data),
                Err(frame) => received.trailers = frame.into_trailers().ok(),
            }
        }
    }
    Ok(response.map(|(mut receiving, received)| Received {
        over: receiving.closed(),
        rest: bytes.to_vec(),
        ..received
    }))
}

fn whole(bytes: &str) -> Received {
    receive(&Method::GET, &[bytes.as_bytes()]).unwrap().unwrap()
}

#[test]
fn bodies_end_where_their_framing_says() {
    for (bytes, body, persistent, rest) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcX", "abc", true, "X"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", "abc", true, ""),
        ("HTTP/1.1 200 OK\r\nContent-Length: 3, 3\r\n\r\nabc", "abc", true, ""),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "", true, ""),
        (
            "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
            "a",
            false,
            "",
        ),
        ("HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 1\r\n\r\na", "a", false, ""),
        ("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na", "a", false, ""),
        ("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\na", "a", true, ""),
        ("HTTP/1.1 200 OK\r\n\r\nuntil the end", "until the end", false, ""),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2\r\nab\r\n1;x\r\nc\r\n0\r\n\r\n", "abc", true, ""),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2  \r\nab\r\n0\r\n\r\nX", "ab", true, "X"),
        ("HTTP/1.1 204 No Content\r\n\r\nX", "", true, "X"),
        ("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\nX", "", true, "X"),
        (
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na",
            "a",
            true,
            "",
        ),
        ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\nframes", "", true, "frames"),
    ] {
        let received = whole(bytes);
        assert_eq!(String::from_utf8(received.body).unwrap(), body, "{bytes:?}");
        assert_eq!((received.persistent, received.over), (persistent, true), "{bytes:?}");
        assert_eq!(received.rest, rest.as_bytes(), "{bytes:?}");
    }
    let head = receive(&Method::HEAD, &[b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"]).unwrap().unwrap();
    assert!(head.over && head.body.is_empty());
}

#[test]
fn bodies_that_are_not_whole_are_not_over() {
    for bytes in [
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n",
    ] {
        assert!(!whole(bytes).over, "{bytes:?}");
    }
}

#[test]
fn responses_that_could_be_read_in_two_ways_are_malformed() {
    for bytes in [
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        "HTTP/1.1 200 OK\r\nContent-Length: 3, 4\r\n\r\nabcd",
        "HTTP/1.1 200 OK\r\nContent-Length: +3\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
        "HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n",
        "HTTP/1.1 999999 OK\r\n\r\n",
        "ICY 200 OK\r\n\r\n",
        "\r\n\r\n",
    ] {
        assert!(receive(&Method::GET, &[bytes.as_bytes()]).is_err(), "{bytes:?}");
    }
    let fields = "A: b\r\n".repeat(MAXIMUM_HEADERS + 1);
    assert!(receive(&Method::GET, &[format!("HTTP/1.1 200 OK\r\n{fields}\r\n").as_bytes()]).is_err());
    let endless = format!("HTTP/1.1 200 OK\r\nA: {}", "b".repeat(65 << 10));
    assert!(receive(&Method::GET, &[endless.as_bytes()]).is_err());
}

#[test]
fn trailers_come_after_the_body() {
    let received = whole("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nA: b\r\nC: d\r\n\r\nX");
    let trailers = received.trailers.unwrap();
    assert_eq!((trailers["a"].as_bytes(), trailers["c"].as_bytes(), trailers.len()), (&b"b"[..], &b"d"[..], 2));
    assert_eq!((received.body, received.over, received.rest), (b"a".to_vec(), true, b"X".to_vec()));
}

proptest! {
    #[test]
    fn no_split_changes_what_is_received(
        chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..40), 0..6),
        trailer in any::<bool>(),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let mut bytes = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        for chunk in &chunks {
            bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            bytes.extend_from_slice(chunk);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(if trailer { b"0\r\nA: b\r\n\r\n" } else { b"0\r\n\r\n" });
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len())).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]).collect();
        let received = receive(&Method::GET, &pieces).unwrap().unwrap();
        prop_assert_eq!(&received.body, &chunks.concat());
        prop_assert_eq!((received.over, received.persistent, received.trailers.is_some()), (true, true, trailer));
        prop_assert!(received.rest.is_empty());
    }
}
