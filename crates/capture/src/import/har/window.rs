//! A bounded, seekable window over a file, read byte by byte or in runs.
//!
//! Knows nothing of JSON. Memory is one buffer however large the file is.

use std::io::{self, Read, Seek, SeekFrom};

/// Bytes held at a time.
const WINDOW_BYTES: usize = 64 * 1024;

/// A position in a file with the bytes around it.
pub(super) struct Window<R> {
    reader: R,
    buffer: Box<[u8]>,
    /// Offset of `buffer[0]` in the file.
    start: u64,
    /// Bytes of `buffer` that are filled.
    filled: usize,
    /// Position inside `buffer`.
    at: usize,
}

impl<R: Read + Seek> Window<R> {
    /// Begins at the reader's first byte.
    pub(super) fn new(mut reader: R) -> io::Result<Self> {
        reader.seek(SeekFrom::Start(0))?;
        Ok(Self { reader, buffer: vec![0; WINDOW_BYTES].into_boxed_slice(), start: 0, filled: 0, at: 0 })
    }

    /// Offset of the next byte in the file.
    pub(super) fn position(&self) -> u64 {
        self.start + self.at as u64
    }

    /// The bytes at hand from the current position on, read from the file when there are none; empty at its end.
    pub(super) fn available(&mut self) -> io::Result<&[u8]> {
        if self.at == self.filled {
            self.start += self.filled as u64;
            self.at = 0;
            self.filled = 0;
            self.fill()?;
        }
        Ok(&self.buffer[self.at..self.filled])
    }

    /// The file's first bytes: at least `count` (which is small), unless the file is shorter. For a window that has
    /// not moved yet.
    pub(super) fn beginning(&mut self, count: usize) -> io::Result<&[u8]> {
        while self.filled < count && self.fill()? > 0 {}
        Ok(&self.buffer[self.at..self.filled])
    }

    fn fill(&mut self) -> io::Result<usize> {
        loop {
            match self.reader.read(&mut self.buffer[self.filled..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
                Ok(count) => {
                    self.filled += count;
                    return Ok(count);
                }
            }
        }
    }

    /// Moves past `count` bytes of those last seen by [`available`](Self::available).
    pub(super) fn consume(&mut self, count: usize) {
        self.at = (self.at + count).min(self.filled);
    }

    /// Moves to an offset in the file.
    pub(super) fn seek_to(&mut self, offset: u64) -> io::Result<()> {
        if let Some(within) = offset.checked_sub(self.start).and_then(|within| usize::try_from(within).ok())
            && within <= self.filled
        {
            self.at = within;
            return Ok(());
        }
        self.reader.seek(SeekFrom::Start(offset))?;
        self.start = offset;
        self.filled = 0;
        self.at = 0;
        Ok(())
    }
}
