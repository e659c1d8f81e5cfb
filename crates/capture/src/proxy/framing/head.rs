//! One request head, whole: where it ends, how its body is framed, and whether everybody would agree on that.

use memchr::{memchr, memchr_iter, memrchr};

/// Why a head is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeadFault {
    /// A line that does not end in CR LF, or a CR elsewhere.
    LineEnd,
    /// A field line that begins with whitespace (obs-fold, RFC 9112, section 5.2).
    Folded,
    /// Whitespace around a framing field's name, or a field line without a name.
    FieldName,
    /// Content-Length that is not one decimal number (a list, a sign, more than 64 bits).
    ContentLength,
    /// Content-Length more than once, whether or not the values differ.
    RepeatedContentLength,
    /// Transfer-Encoding that is not exactly `chunked`, or more than once.
    TransferEncoding,
    /// Transfer-Encoding in a request that is not HTTP/1.1.
    TransferEncodingVersion,
    /// Both Content-Length and Transfer-Encoding.
    Both,
    /// More bytes than any head may have.
    TooLong,
    /// Not the head's: the chunks that came with it are malformed.
    Chunks,
}

impl HeadFault {
    /// For the client that sent it. Names the rule, never a value.
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::LineEnd => "a line of the head does not end in CR LF",
            Self::Folded => "a field line begins with whitespace",
            Self::FieldName => "whitespace around a field name",
            Self::ContentLength => "Content-Length is not one decimal number",
            Self::RepeatedContentLength => "Content-Length is repeated",
            Self::TransferEncoding => "Transfer-Encoding is not chunked alone",
            Self::TransferEncodingVersion => "Transfer-Encoding needs HTTP/1.1",
            Self::Both => "Content-Length together with Transfer-Encoding",
            Self::TooLong => "the head is too long",
            Self::Chunks => "the chunks of the body are malformed",
        }
    }
}

/// How the body after a head is delimited (RFC 9112, section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyFraming {
    None,
    Length(u64),
    Chunked,
}

/// Where the head that `bytes` begin with ends: after its first empty line. Bytes before `searched` hold no end.
/// An LF alone counts as a line's end here, as it does for hyper's parser; `judge` refuses it.
pub(crate) fn find_end(bytes: &[u8], searched: usize) -> Option<usize> {
    memchr_iter(b'\n', &bytes[searched..]).map(|found| found + searched).find_map(|line_feed| {
        let empty = match line_feed.checked_sub(1).map(|before| bytes[before]) {
            None | Some(b'\n') => true,
            Some(b'\r') => line_feed < 2 || bytes[line_feed - 2] == b'\n',
            Some(_) => false,
        };
        empty.then_some(line_feed + 1)
    })
}

/// Judges a whole head, its empty line included.
pub(super) fn judge(head: &[u8]) -> Result<BodyFraming, HeadFault> {
    let mut content_length = None;
    let mut transfer_encoding = false;
    let mut lines = Lines(head);
    let request_line = lines.next().ok_or(HeadFault::LineEnd)??;
    for line in lines {
        let line = line?;
        // Only names of the two framing fields are looked at: hyper's parser refuses what is wrong with others.
        match line.first() {
            None => break,
            Some(b' ' | b'\t') => return Err(HeadFault::Folded),
            Some(b'c' | b'C' | b't' | b'T') => {}
            Some(byte) if byte.is_ascii_graphic() && *byte != b':' => continue,
            Some(_) => return Err(HeadFault::FieldName),
        }
        let Some(colon) = memchr(b':', line) else { return Err(HeadFault::FieldName) };
        let (name, value) = (&line[..colon], trim(&line[colon + 1..]));
        let bare_name = trim(name);
        let is_length = bare_name.eq_ignore_ascii_case(b"content-length");
        if !is_length && !bare_name.eq_ignore_ascii_case(b"transfer-encoding") {
            continue;
        }
        if bare_name.len() != name.len() {
            return Err(HeadFault::FieldName);
        }
        if is_length {
            let length = decimal(value).ok_or(HeadFault::ContentLength)?;
            if content_length.replace(length).is_some() {
                return Err(HeadFault::RepeatedContentLength);
            }
        } else {
            if transfer_encoding || !value.eq_ignore_ascii_case(b"chunked") {
                return Err(HeadFault::TransferEncoding);
            }
            transfer_encoding = true;
        }
    }
    match (content_length, transfer_encoding) {
        (None | Some(0), false) => Ok(BodyFraming::None),
        (Some(length), false) => Ok(BodyFraming::Length(length)),
        (None, true) if is_version_1_1(request_line) => Ok(BodyFraming::Chunked),
        (None, true) => Err(HeadFault::TransferEncodingVersion),
        (Some(_), true) => Err(HeadFault::Both),
    }
}

/// The lines of a head without their CR LF.
struct Lines<'a>(&'a [u8]);

impl<'a> Iterator for Lines<'a> {
    type Item = Result<&'a [u8], HeadFault>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let (line, rest) = match memchr(b'\n', self.0) {
            Some(end) => (&self.0[..end], &self.0[end + 1..]),
            None => (self.0, &[][..]),
        };
        self.0 = rest;
        // A CR inside a line is refused by hyper's parser in names, values and targets alike; around the two framing
        // fields it fails the comparison or the number.
        Some(line.strip_suffix(b"\r").ok_or(HeadFault::LineEnd))
    }
}

fn is_version_1_1(request_line: &[u8]) -> bool {
    memrchr(b' ', request_line).is_some_and(|space| &request_line[space + 1..] == b"HTTP/1.1")
}

/// Optional whitespace removed (RFC 9110, section 5.6.3).
fn trim(bytes: &[u8]) -> &[u8] {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = bytes.iter().position(|byte| !is_space(byte)).unwrap_or(bytes.len());
    let end = bytes.iter().rposition(|byte| !is_space(byte)).map_or(start, |last| last + 1);
    &bytes[start..end]
}

/// `1*DIGIT` that fits 63 bits, which every implementation can hold.
fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, byte| byte.is_ascii_digit().then(|| number * 10 + u64::from(byte - b'0')))
}
