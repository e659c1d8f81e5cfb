//! A chunked body (RFC 9112, section 7.1), followed without looking at its data.

/// Digits of a chunk size: 60 bits, more than any body has.
const MAXIMUM_SIZE_DIGITS: u8 = 15;
/// Bytes of chunk extensions, and of trailer fields, of one body.
const MAXIMUM_EXTRA: u32 = 64 << 10;

/// The chunks are not delimited as they must be.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ChunkFault;

/// How far the body is.
#[derive(Debug)]
pub(super) enum Progress<'a> {
    /// All bytes taken, more to come.
    Ongoing,
    /// The body is over; these bytes belong to what follows.
    Complete(&'a [u8]),
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// In a chunk's size, after so many digits.
    Size(u8),
    /// After the size, up to the CR.
    Extension,
    /// At the LF of the size line.
    SizeEnd,
    /// In the data; `missing` counts.
    Data,
    DataReturn,
    DataEnd,
    /// At the beginning of a line after the last chunk.
    TrailerStart,
    Trailer,
    TrailerEnd,
    FinalEnd,
}

/// Where in a chunked body the last byte seen stands.
#[derive(Debug)]
pub(super) struct ChunkedBody {
    state: State,
    /// Size of the chunk as far as read; then what is missing of its data.
    missing: u64,
    extra: u32,
}

impl ChunkedBody {
    pub(super) const fn new() -> Self {
        Self { state: State::Size(0), missing: 0, extra: 0 }
    }

    /// Takes the next bytes of the body.
    pub(super) fn follow<'a>(&mut self, mut bytes: &'a [u8]) -> Result<Progress<'a>, ChunkFault> {
        while let Some((&byte, rest)) = bytes.split_first() {
            self.state = match self.state {
                State::Data => {
                    let taken = usize::try_from(self.missing).unwrap_or(usize::MAX).min(bytes.len());
                    self.missing -= taken as u64;
                    bytes = &bytes[taken..];
                    self.state = if self.missing == 0 { State::DataReturn } else { State::Data };
                    continue;
                }
                State::Size(digits) => match (byte, digits) {
                    (b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F', 0..MAXIMUM_SIZE_DIGITS) => {
                        let digit = char::from(byte).to_digit(16).ok_or(ChunkFault)?;
                        self.missing = (self.missing << 4) | u64::from(digit);
                        State::Size(digits + 1)
                    }
                    (b'\r', 1..) => State::SizeEnd,
                    (b';', 1..) => State::Extension,
                    _ => return Err(ChunkFault),
                },
                State::Extension => match byte {
                    b'\r' => State::SizeEnd,
                    b'\n' => return Err(ChunkFault),
                    _ => self.count_extra(State::Extension)?,
                },
                State::SizeEnd => match (byte, self.missing) {
                    (b'\n', 0) => State::TrailerStart,
                    (b'\n', _) => State::Data,
                    _ => return Err(ChunkFault),
                },
                State::DataReturn => expect(byte, b'\r', State::DataEnd)?,
                State::DataEnd => expect(byte, b'\n', State::Size(0))?,
                State::TrailerStart => match byte {
                    b'\r' => State::FinalEnd,
                    b'\n' | b' ' | b'\t' => return Err(ChunkFault),
                    _ => self.count_extra(State::Trailer)?,
                },
                State::Trailer => match byte {
                    b'\r' => State::TrailerEnd,
                    b'\n' => return Err(ChunkFault),
                    _ => self.count_extra(State::Trailer)?,
                },
                State::TrailerEnd => expect(byte, b'\n', State::TrailerStart)?,
                State::FinalEnd => {
                    return if byte == b'\n' { Ok(Progress::Complete(rest)) } else { Err(ChunkFault) };
                }
            };
            bytes = rest;
        }
        Ok(Progress::Ongoing)
    }

    fn count_extra(&mut self, next: State) -> Result<State, ChunkFault> {
        self.extra += 1;
        if self.extra > MAXIMUM_EXTRA { Err(ChunkFault) } else { Ok(next) }
    }
}

fn expect(byte: u8, expected: u8, next: State) -> Result<State, ChunkFault> {
    if byte == expected { Ok(next) } else { Err(ChunkFault) }
}
