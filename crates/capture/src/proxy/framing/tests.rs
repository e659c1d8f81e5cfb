//! Framing verdicts: tables, and the property that no split of the stream changes one.

use proptest::prelude::*;

use super::*;

fn follow(bytes: &[u8]) -> FramingFollower {
    let mut follower = FramingFollower::new();
    follower.follow(bytes);
    fuzz_framing(bytes);
    follower
}

fn head_fault(head: &str) -> Option<HeadFault> {
    match follow(head.as_bytes()).fault() {
        Some(FramingFault::Head { ordinal: 0, fault }) => Some(fault),
        None => None,
        other => panic!("{head:?}: {other:?}"),
    }
}

#[test]
fn ambiguous_heads_are_found() {
    for (head, fault) in [
        ("POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", HeadFault::Both),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\ncontent-length: 0\r\n\r\n", HeadFault::Both),
        ("POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", HeadFault::RepeatedContentLength),
        ("POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", HeadFault::RepeatedContentLength),
        ("POST / HTTP/1.1\r\nContent-Length: 5, 5\r\n\r\n", HeadFault::ContentLength),
        ("POST / HTTP/1.1\r\nContent-Length: +5\r\n\r\n", HeadFault::ContentLength),
        ("POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\n", HeadFault::ContentLength),
        ("POST / HTTP/1.1\r\nContent-Length: 0x5\r\n\r\n", HeadFault::ContentLength),
        ("POST / HTTP/1.1\r\nContent-Length: 5 5\r\n\r\n", HeadFault::ContentLength),
        ("POST / HTTP/1.1\r\nContent-Length: \x0b5\r\n\r\n", HeadFault::ContentLength),
        ("POST / HTTP/1.1\r\nContent-Length:\r\n\r\n", HeadFault::ContentLength),
        ("POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", HeadFault::ContentLength),
        ("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", HeadFault::TransferEncodingVersion),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", HeadFault::TransferEncoding),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked, identity\r\n\r\n", HeadFault::TransferEncoding),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n\r\n", HeadFault::TransferEncoding),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: \"chunked\"\r\n\r\n", HeadFault::TransferEncoding),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: \x0bchunked\r\n\r\n", HeadFault::TransferEncoding),
        ("POST / HTTP/1.1\r\nTransfer-Encoding:\r\n\r\n", HeadFault::TransferEncoding),
        (
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
            HeadFault::TransferEncoding,
        ),
        ("POST / HTTP/1.1\r\nTransfer-Encoding : chunked\r\n\r\n", HeadFault::FieldName),
        ("POST / HTTP/1.1\r\nContent-Length\t: 5\r\n\r\n", HeadFault::FieldName),
        ("POST / HTTP/1.1\r\n: empty\r\n\r\n", HeadFault::FieldName),
        ("POST / HTTP/1.1\r\nX: a\r\n Transfer-Encoding: chunked\r\n\r\n", HeadFault::Folded),
        ("POST / HTTP/1.1\r\n\tContent-Length: 5\r\n\r\n", HeadFault::Folded),
        ("POST / HTTP/1.1\r\nX: a\nContent-Length: 5\r\n\r\n", HeadFault::LineEnd),
        ("POST / HTTP/1.1\nContent-Length: 5\n\n", HeadFault::LineEnd),
        ("POST / HTTP/1.1\r\nContent-Length: 5\n\r\n", HeadFault::LineEnd),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\r\n\r\n", HeadFault::TransferEncoding),
        ("\nPOST / HTTP/1.1\r\n\r\n", HeadFault::LineEnd),
        ("\rPOST / HTTP/1.1\r\n\r\n", HeadFault::LineEnd),
    ] {
        assert_eq!(head_fault(head), Some(fault), "{head:?}");
    }
}

#[test]
fn clear_heads_pass() {
    for head in [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
        "POST / HTTP/1.1\r\ncontent-length:   7 \r\n\r\nPOST / ",
        "POST / HTTP/1.1\r\nTRANSFER-ENCODING: Chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Type: text/plain\r\nTe: trailers\r\nContent-Length-Hint: x\r\n\r\n",
    ] {
        assert_eq!(head_fault(head), None, "{head:?}");
        assert_eq!(follow(head.as_bytes()).heads(), 1, "{head:?}");
    }
}

#[test]
fn bodies_are_skipped_and_the_next_head_is_judged() {
    let stream = b"POST /1 HTTP/1.1\r\nContent-Length: 45\r\n\r\nGET / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n..\
        POST /2 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n\
        3;name=\"v\"\r\nabc\r\n1B\r\n\r\nContent-Length: 1, 2\r\n\r\n:\r\n0\r\nTrailer-Field: x\r\n\r\n\
        GET /3 HTTP/1.1\r\n\r\n\
        GET /4 HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nGET /5 HTTP/1.1\r\n\r\n";
    let follower = follow(stream);
    assert_eq!(follower.heads(), 4);
    assert_eq!(follower.fault(), Some(FramingFault::Head { ordinal: 3, fault: HeadFault::RepeatedContentLength }));
}

#[test]
fn broken_chunks_are_found() {
    for body in [
        "\r\n",
        ";x\r\n",
        "g\r\n",
        "-1\r\n",
        "+1\r\n",
        " 1\r\n",
        "1 \r\n",
        "0x1\r\n",
        "1\n",
        "1\ra",
        "1;a\nb\r\n",
        "1111111111111111\r\n",
        "1\r\nab",
        "1\r\na\n",
        "1\r\na\r\r",
        "0\r\n\n",
        "0\r\nA: b\n\r\n",
        "0\r\n A: b\r\n",
        "0\r\n\rX",
    ] {
        let stream = format!("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{body}");
        assert_eq!(follow(stream.as_bytes()).fault(), Some(FramingFault::Body { ordinal: 0 }), "{body:?}");
    }
}

#[test]
fn a_head_without_end_is_not_kept_for_ever() {
    let mut follower = FramingFollower::new();
    follower.follow(b"GET / HTTP/1.1\r\n");
    let filler = [b'x'; 8_192];
    for _ in 0..(MAXIMUM_HEAD / filler.len()) {
        follower.follow(&filler);
    }
    assert_eq!(follower.fault(), Some(FramingFault::Head { ordinal: 0, fault: HeadFault::TooLong }));
    assert_eq!(follower.partial.capacity(), 0);
}

/// Pieces that matter to framing, so that random streams reach deep.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(b"\r\n".to_vec()),
        Just(b"\r\n\r\n".to_vec()),
        Just(b"\n".to_vec()),
        Just(b"\r".to_vec()),
        Just(b"GET / HTTP/1.1\r\n".to_vec()),
        Just(b"POST /a HTTP/1.0\r\n".to_vec()),
        Just(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec()),
        Just(b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc".to_vec()),
        Just(b"Content-Length: 4\r\n".to_vec()),
        Just(b"Transfer-Encoding: chunked\r\n".to_vec()),
        Just(b" ".to_vec()),
        Just(b"0\r\n\r\n".to_vec()),
        Just(b"5\r\nabcde\r\n".to_vec()),
        Just(b"3;x=y\r\n".to_vec()),
        proptest::collection::vec(any::<u8>(), 0..6),
    ]
}

proptest! {
    #[test]
    fn no_split_changes_the_findings(pieces in proptest::collection::vec(piece(), 0..12)) {
        fuzz_framing(&pieces.concat());
    }
}
