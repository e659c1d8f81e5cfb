//! A response, read in pieces of any size, is read as it is whole.

use bytes::BytesMut;
use http::{HeaderMap, Method, StatusCode};

use super::{Receiving, take_head};

/// What was read of a response.
#[derive(Debug, Default, PartialEq, Eq)]
struct Read {
    head: Option<(StatusCode, HeaderMap, bool)>,
    body: Vec<u8>,
    trailers: Option<HeaderMap>,
    over: bool,
    malformed: bool,
    /// What came after the response and belongs to nobody.
    left: Vec<u8>,
}

/// For fuzzing: whatever comes from an upstream, no panic, and the same response for the whole as byte by byte and for
/// every split into two. The first byte chooses the request's method, on which the body depends.
///
/// # Panics
///
/// When a split changes what is read, which is what the fuzzer looks for.
pub fn fuzz_response(data: &[u8]) {
    let Some((choice, bytes)) = data.split_first() else { return };
    let method = if choice % 2 == 0 { Method::GET } else { Method::HEAD };
    let whole = read(&method, [bytes]);
    assert_eq!(whole, read(&method, bytes.chunks(1)), "byte by byte");
    let step = (bytes.len() / 64).max(1);
    for middle in (0..bytes.len()).step_by(step) {
        assert_eq!(whole, read(&method, [&bytes[..middle], &bytes[middle..]]), "split at {middle}");
    }
}

fn read<'b>(method: &Method, pieces: impl IntoIterator<Item = &'b [u8]>) -> Read {
    let mut read = Read::default();
    let mut received = BytesMut::new();
    let (mut searched, mut receiving) = (0, None);
    for piece in pieces {
        received.extend_from_slice(piece);
        if !read.malformed && !read.over {
            advance(method, &mut received, &mut searched, &mut receiving, &mut read);
        }
    }
    if read.malformed {
        // How far reading came before it met the damage depends on how much was there.
        return Read { malformed: true, ..Read::default() };
    }
    if read.over {
        read.left = received.to_vec();
    }
    read
}

/// Reads what can be read of what was received.
fn advance(
    method: &Method,
    received: &mut BytesMut,
    searched: &mut usize,
    receiving: &mut Option<Receiving>,
    read: &mut Read,
) {
    if receiving.is_none() {
        match take_head(received, searched, usize::MAX) {
            Ok(Some(mut head)) => match Receiving::after(&mut head, method) {
                Ok((body, persistent)) => {
                    read.head = Some((head.status, head.headers, persistent));
                    *receiving = Some(body);
                }
                Err(_) => read.malformed = true,
            },
            Ok(None) => {}
            Err(_) => read.malformed = true,
        }
    }
    let Some(body) = receiving else { return };
    loop {
        match body.take_frame(received) {
            Ok(Some(frame)) => match frame.into_data() {
                Ok(data) => read.body.extend_from_slice(&data),
                Err(frame) => read.trailers = frame.into_trailers().ok(),
            },
            Ok(None) => break,
            Err(_) => {
                read.malformed = true;
                return;
            }
        }
    }
    read.over = body.is_over();
}
