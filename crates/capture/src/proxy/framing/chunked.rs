//! A chunked body (RFC 9112, section 7.1), followed without looking at its data: the requests of clients to find out
//! where they end, the responses of upstreams to take them apart.

/// Digits of a chunk size: 60 bits, more than any body has.
const MAXIMUM_SIZE_DIGITS: u8 = 15;
/// Bytes of chunk extensions, and of trailer fields, of one body.
const MAXIMUM_EXTRA: u32 = 64 << 10;

/// The chunks are not delimited as they must be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ChunkFault;

/// What the next bytes of a chunked body are.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// So many bytes of framing, at least one.
    Framing(usize),
    /// So many bytes of data, at least one.
    Data(usize),
    /// So many bytes of the trailer section, its lines' ends included.
    Trailer(usize),
    /// So many bytes of framing, and the body is over.
    End(usize),
}

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
pub(crate) struct ChunkedBody {
    state: State,
    /// Size of the chunk as far as read; then what is missing of its data.
    missing: u64,
    extra: u32,
    /// Whether spaces may stand behind a size, as some old servers write them.
    padding: bool,
}

impl ChunkedBody {
    /// A request's: to the letter, for nobody knows how the next recipient reads what is not.
    pub(crate) const fn strict() -> Self {
        Self { state: State::Size(0), missing: 0, extra: 0, padding: false }
    }

    /// A response's: sizes may be padded.
    pub(crate) const fn tolerant() -> Self {
        Self { state: State::Size(0), missing: 0, extra: 0, padding: true }
    }

    /// Takes the next bytes of the body.
    pub(super) fn follow<'a>(&mut self, mut bytes: &'a [u8]) -> Result<Progress<'a>, ChunkFault> {
        while !bytes.is_empty() {
            match self.step(bytes)? {
                Step::Framing(length) | Step::Data(length) | Step::Trailer(length) => bytes = &bytes[length..],
                Step::End(length) => return Ok(Progress::Complete(&bytes[length..])),
            }
        }
        Ok(Progress::Ongoing)
    }

    /// Takes the next part of the body: as many of `bytes`, which are not empty, as are of one kind.
    pub(crate) fn step(&mut self, bytes: &[u8]) -> Result<Step, ChunkFault> {
        if matches!(self.state, State::Data) {
            let taken = usize::try_from(self.missing).unwrap_or(usize::MAX).min(bytes.len());
            self.missing -= taken as u64;
            if self.missing == 0 {
                self.state = State::DataReturn;
            }
            return Ok(Step::Data(taken));
        }
        let trailer = self.in_trailer();
        for (position, &byte) in bytes.iter().enumerate() {
            match self.next(byte)? {
                Some(next) => self.state = next,
                None => return Ok(Step::End(position + 1)),
            }
            if matches!(self.state, State::Data) || self.in_trailer() != trailer {
                // A line that proves to be the final empty one is part of the framing; whoever reads trailers can
                // live with its CR.
                return Ok(if trailer { Step::Trailer(position + 1) } else { Step::Framing(position + 1) });
            }
        }
        Ok(if trailer { Step::Trailer(bytes.len()) } else { Step::Framing(bytes.len()) })
    }

    const fn in_trailer(&self) -> bool {
        matches!(self.state, State::TrailerStart | State::Trailer | State::TrailerEnd)
    }

    /// The state after one byte of framing; none when the body is over.
    fn next(&mut self, byte: u8) -> Result<Option<State>, ChunkFault> {
        let next = match self.state {
            // `step` takes data as a whole.
            State::Data => State::Data,
            State::Size(digits) => match (byte, digits) {
                (b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F', 0..MAXIMUM_SIZE_DIGITS) => {
                    let digit = char::from(byte).to_digit(16).ok_or(ChunkFault)?;
                    self.missing = (self.missing << 4) | u64::from(digit);
                    State::Size(digits + 1)
                }
                (b'\r', 1..) => State::SizeEnd,
                (b';', 1..) => State::Extension,
                (b' ' | b'\t', 1..) if self.padding => State::Extension,
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
            State::FinalEnd => return if byte == b'\n' { Ok(None) } else { Err(ChunkFault) },
        };
        Ok(Some(next))
    }

    fn count_extra(&mut self, next: State) -> Result<State, ChunkFault> {
        self.extra += 1;
        if self.extra > MAXIMUM_EXTRA { Err(ChunkFault) } else { Ok(next) }
    }
}

fn expect(byte: u8, expected: u8, next: State) -> Result<State, ChunkFault> {
    if byte == expected { Ok(next) } else { Err(ChunkFault) }
}
