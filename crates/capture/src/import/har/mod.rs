//! Reads HAR 1.2 files (HTTP Archive, as browsers and debugging proxies export them) entry by entry.
//!
//! Memory does not grow with the file: one entry is held at a time, plus twenty bytes per entry for telling identical
//! ones apart. A damaged entry is reported with its number, its place and a reason, and reading goes on at the next
//! entry that is whole. Where only a body or the end of a list is damaged, the exchange comes without it and the report
//! behind it. Identities come from content, so the same file twice gives the same exchanges.
//!
//! What recorders do to the truth is undone where it can be seen: bodies are shown decoded, so `Content-Encoding` is
//! dropped unless the bytes visibly still carry it, and no stage decodes a second time; cookies that stand only in lists
//! become headers again; forms that stand only as lists become bodies again. The server's address is never taken for the
//! client's.
//!
//! ```
//! use threadline_capture::import::har::{HarReader, HarSettings};
//!
//! let file = r#"{"log":{"version":"1.2","entries":[{
//!     "startedDateTime":"2026-11-23T10:00:00Z","time":12,
//!     "request":{"method":"GET","url":"https://shop.example/cart","headers":[]},
//!     "response":{"status":200,"headers":[],"content":{"size":2,"text":"{}"}}}]}}"#;
//! let mut reader = HarReader::new(std::io::Cursor::new(file), HarSettings::default())?;
//! let exchange = reader.next().unwrap()?;
//! assert_eq!(exchange.request.target.as_bytes(), b"/cart");
//! assert!(reader.next().is_none());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod body;
mod entry;
mod error;
mod fields;
mod fuzz;
mod headers;
mod identity;
mod structure;
mod target;
mod time;
mod window;

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use threadline_model::Exchange;

pub use self::error::{EntryError, HarError, Reason};
pub use self::fuzz::fuzz_har;

use self::entry::Converted;
use self::identity::Identities;
use self::structure::{Kept, Stop, copy_value, peek_token, skip_value, take_key, take_token};
use self::window::Window;

/// Bounds of a reader.
#[derive(Clone, Copy, Debug)]
pub struct HarSettings {
    /// Bytes kept of each body; the rest is cut and the body marked as a prefix.
    pub body_limit: usize,
    /// Bytes of one entry; a longer one is reported and skipped.
    pub entry_limit: usize,
}

impl Default for HarSettings {
    /// 64 KiB of each body, 64 MiB an entry.
    fn default() -> Self {
        Self { body_limit: 64 * 1024, entry_limit: 64 * 1024 * 1024 }
    }
}

/// How many times its own length a file may cost to find whole entries behind damage. Real damage costs two or three;
/// without a bound, brackets nested on purpose would cost as many times as they are deep.
const SEARCH_FACTOR: u64 = 16;

/// What a reader has met so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HarCounts {
    /// Entries found, damaged and skipped ones included.
    pub entries: usize,
    /// Entries that became exchanges.
    pub exchanges: usize,
    /// Entries without an exchange: `data:` and `blob:` URLs, pages of extensions.
    pub local: usize,
    /// Places of damage reported.
    pub damaged: usize,
}

/// Where the reader stands.
#[derive(Clone, Copy)]
enum State {
    /// Inside the list, before an entry; `first` right behind its opening bracket.
    BeforeEntry { first: bool },
    /// Inside the list, behind an entry.
    AfterEntry,
    /// Structure was lost; the next whole entry is looked for from here, behind the byte `previous`.
    Lost { from: u64, previous: u8 },
    /// A place of damage to report, before the search goes on from it.
    Damaged { error: EntryError },
    /// Behind the list.
    Rest,
    /// At the end.
    Done,
}

/// An iterator over the exchanges of one HAR file.
pub struct HarReader<R> {
    window: Window<R>,
    settings: HarSettings,
    identity: [u8; 16],
    length: u64,
    /// Bytes that may still be walked in search of entries.
    search_budget: u64,
    state: State,
    entry: Vec<u8>,
    identities: Identities,
    counts: HarCounts,
    /// What had to be left out of the exchange that was given last.
    left_out: Option<EntryError>,
}

impl HarReader<File> {
    /// Opens a file. Reads it once for its identity.
    ///
    /// # Errors
    /// When it cannot be read, or is not HAR at all.
    pub fn open(path: impl AsRef<Path>, settings: HarSettings) -> Result<Self, HarError> {
        Self::new(File::open(path).map_err(HarError::Read)?, settings)
    }
}

impl<R: Read + Seek> HarReader<R> {
    /// Reads from anything that can be read twice.
    ///
    /// # Errors
    /// When it cannot be read, or is not HAR at all.
    pub fn new(mut reader: R, settings: HarSettings) -> Result<Self, HarError> {
        let (identity, length) = identity_of(&mut reader).map_err(HarError::Read)?;
        let window = Window::new(reader).map_err(HarError::Read)?;
        let mut har = Self {
            window,
            settings,
            identity,
            length,
            search_budget: length.saturating_mul(SEARCH_FACTOR),
            state: State::Done,
            entry: Vec::new(),
            identities: Identities::default(),
            counts: HarCounts::default(),
            left_out: None,
        };
        har.begin()?;
        har.state = match har.find_entries() {
            Ok(true) => State::BeforeEntry { first: true },
            Ok(false) => return Err(HarError::NotHar { found: "JSON without a list log.entries" }),
            Err(Stop::Io(error)) => return Err(HarError::Read(error)),
            Err(Stop::Broken(reason)) => {
                State::Damaged { error: EntryError { entry: 0, offset: har.window.position(), reason } }
            }
        };
        Ok(har)
    }

    /// Hash of the file's content.
    pub fn identity(&self) -> [u8; 16] {
        self.identity
    }

    /// The file's length, bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// How far into the file the reader is, bytes.
    pub fn position(&self) -> u64 {
        self.window.position().min(self.length)
    }

    /// What was met so far.
    pub fn counts(&self) -> HarCounts {
        self.counts
    }

    /// Steps over a byte order mark and sees what cannot be HAR.
    fn begin(&mut self) -> Result<(), HarError> {
        let start = self.window.beginning(4).map_err(HarError::Read)?;
        match start {
            [] => return Err(HarError::NotHar { found: "the file is empty" }),
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
                return Err(HarError::NotHar { found: "UTF-16 text; convert it to UTF-8 first" });
            }
            [0x1f, 0x8b, ..] => return Err(HarError::NotHar { found: "gzip data; decompress it first" }),
            [b'P', b'K', 3, 4, ..] => return Err(HarError::NotHar { found: "a ZIP archive; unpack it first" }),
            [0xef, 0xbb, 0xbf, ..] => self.window.consume(3),
            _ => {}
        }
        match peek_token(&mut self.window).map_err(HarError::Read)? {
            Some(b'{') => Ok(()),
            _ => Err(HarError::NotHar { found: "it does not begin with a JSON object" }),
        }
    }

    /// Walks to the inside of `log.entries`; false when the document has no such list.
    fn find_entries(&mut self) -> Result<bool, Stop> {
        Ok(self.enter(b"log", b'{')? && self.enter(b"entries", b'[')?)
    }

    /// Enters the object at the window's position and walks to the value of `name` if it begins with `bracket`.
    /// The last step, into that value, is left to the caller except for lists.
    fn enter(&mut self, name: &[u8], bracket: u8) -> Result<bool, Stop> {
        take_token(&mut self.window, b'{')?;
        if peek_token(&mut self.window)? == Some(b'}') {
            return Ok(false);
        }
        loop {
            let key = take_key(&mut self.window)?;
            take_token(&mut self.window, b':')?;
            if key == name && peek_token(&mut self.window)? == Some(bracket) {
                if bracket == b'[' {
                    self.window.consume(1);
                }
                return Ok(true);
            }
            skip_value(&mut self.window)?;
            if peek_token(&mut self.window)? == Some(b'}') {
                return Ok(false);
            }
            take_token(&mut self.window, b',')?;
        }
    }

    /// One step; `None` when nothing is to be told yet.
    fn step(&mut self) -> Option<Result<Exchange, EntryError>> {
        match self.state {
            State::BeforeEntry { first } => match peek_token(&mut self.window) {
                Ok(Some(b']')) if first => {
                    self.window.consume(1);
                    self.state = State::Rest;
                    None
                }
                Ok(_) => self.read_entry(),
                Err(_) => self.unreadable(),
            },
            State::AfterEntry => match peek_token(&mut self.window) {
                Ok(Some(b',')) => {
                    self.window.consume(1);
                    self.state = State::BeforeEntry { first: false };
                    None
                }
                Ok(Some(b']')) => {
                    self.window.consume(1);
                    self.state = State::Rest;
                    None
                }
                Ok(next) => {
                    let from = self.window.position();
                    self.state = State::Lost { from, previous: b',' };
                    self.report(from, if next.is_some() { Reason::NotJson } else { Reason::Ends })
                }
                Err(_) => self.unreadable(),
            },
            State::Lost { from, previous } => self.search(from, previous),
            State::Damaged { error } => {
                self.state = State::Lost { from: error.offset, previous: b',' };
                self.counts.damaged += 1;
                Some(Err(error))
            }
            State::Rest => match self.finish() {
                Ok(()) => {
                    self.state = State::Done;
                    None
                }
                Err(Stop::Broken(reason)) => {
                    let from = self.window.position();
                    self.state = State::Lost { from, previous: b',' };
                    self.report(from, reason)
                }
                Err(Stop::Io(_)) => self.unreadable(),
            },
            State::Done => None,
        }
    }

    fn read_entry(&mut self) -> Option<Result<Exchange, EntryError>> {
        let start = self.window.position();
        let mut copy = Kept::new(&mut self.entry, self.settings.entry_limit);
        let copied = copy_value(&mut self.window, &mut copy);
        let too_large = copy.is_over();
        match copied {
            Ok(()) => {
                self.state = State::AfterEntry;
                if too_large { self.entry_error(start, Reason::TooLarge) } else { self.convert_entry(start) }
            }
            Err(Stop::Broken(reason)) => {
                let broken_at = self.window.position();
                self.state = State::Lost { from: start + 1, previous: b'{' };
                if reason == Reason::Ends && broken_at == start {
                    // Nothing of a next entry is there.
                    return self.report(broken_at, reason);
                }
                self.entry_error(broken_at, reason)
            }
            Err(Stop::Io(_)) => self.unreadable(),
        }
    }

    /// Converts the entry that was copied and began at `start`.
    fn convert_entry(&mut self, start: u64) -> Option<Result<Exchange, EntryError>> {
        let (mut quoted, mut damage) = (Vec::new(), None);
        let converted = match entry::parse_leniently(&self.entry, &mut quoted) {
            Ok(fields) => {
                let limit = self.settings.body_limit;
                entry::convert(&fields, limit, self.identity, &mut self.identities, &mut damage)
            }
            Err((within, reason)) => return self.entry_error(start + within as u64, reason),
        };
        match converted {
            Ok(Converted::Exchange(exchange)) => {
                self.left_out = damage.map(|reason| EntryError { entry: self.counts.entries, offset: start, reason });
                self.counts.entries += 1;
                self.counts.exchanges += 1;
                Some(Ok(*exchange))
            }
            Ok(Converted::Local) => {
                self.counts.entries += 1;
                self.counts.local += 1;
                None
            }
            Err(reason) => self.entry_error(start, reason),
        }
    }

    /// Looks for the next whole entry: an element of a list that is an object with a request.
    fn search(&mut self, from: u64, previous: u8) -> Option<Result<Exchange, EntryError>> {
        match self.find_candidate(from, previous) {
            Ok(Some(start)) => {
                let mut copy = Kept::new(&mut self.entry, self.settings.entry_limit);
                let copied = copy_value(&mut self.window, &mut copy);
                let too_large = copy.is_over();
                self.search_budget = self.search_budget.saturating_sub(self.window.position() - start);
                match copied {
                    _ if self.search_budget == 0 => {
                        self.state = State::Done;
                        self.report(start, Reason::GaveUp)
                    }
                    Ok(()) if !too_large && self.holds_a_request() => {
                        self.state = State::AfterEntry;
                        self.convert_entry(start)
                    }
                    // Something else, or damaged as well: an entry may still stand inside it.
                    Ok(()) | Err(Stop::Broken(_)) => {
                        self.state = State::Lost { from: start + 1, previous: b'{' };
                        None
                    }
                    Err(Stop::Io(_)) => self.unreadable(),
                }
            }
            Ok(None) => {
                self.state = State::Done;
                None
            }
            Err(_) => self.unreadable(),
        }
    }

    /// Whether what was copied is an entry.
    fn holds_a_request(&self) -> bool {
        entry::parse_leniently(&self.entry, &mut Vec::new()).is_ok_and(|fields| fields.request.is_some())
    }

    /// Moves to the next `{` that may begin an element of a list.
    fn find_candidate(&mut self, from: u64, mut previous: u8) -> std::io::Result<Option<u64>> {
        self.window.seek_to(from)?;
        loop {
            let run = self.window.available()?;
            if run.is_empty() {
                return Ok(None);
            }
            let length = run.len();
            let mut found = None;
            for (position, byte) in run.iter().enumerate() {
                if *byte == b'{' && matches!(previous, b',' | b'[' | b'}') {
                    found = Some(position);
                    break;
                }
                if !byte.is_ascii_whitespace() {
                    previous = *byte;
                }
            }
            self.window.consume(found.unwrap_or(length));
            if found.is_some() {
                return Ok(Some(self.window.position()));
            }
        }
    }

    /// Walks from behind the list to the end of the document.
    fn finish(&mut self) -> Result<(), Stop> {
        for _ in 0..2 {
            while peek_token(&mut self.window)? != Some(b'}') {
                take_token(&mut self.window, b',')?;
                take_key(&mut self.window)?;
                take_token(&mut self.window, b':')?;
                skip_value(&mut self.window)?;
            }
            self.window.consume(1);
        }
        match peek_token(&mut self.window)? {
            None => Ok(()),
            Some(_) => Err(Reason::NotJson.into()),
        }
    }

    /// Reports damage in an entry.
    fn entry_error(&mut self, offset: u64, reason: Reason) -> Option<Result<Exchange, EntryError>> {
        let error = EntryError { entry: self.counts.entries, offset, reason };
        self.counts.entries += 1;
        self.counts.damaged += 1;
        Some(Err(error))
    }

    /// Reports damage outside of entries.
    fn report(&mut self, offset: u64, reason: Reason) -> Option<Result<Exchange, EntryError>> {
        self.counts.damaged += 1;
        Some(Err(EntryError { entry: self.counts.entries, offset, reason }))
    }

    fn unreadable(&mut self) -> Option<Result<Exchange, EntryError>> {
        self.state = State::Done;
        self.report(self.window.position(), Reason::Read)
    }
}

impl<R: Read + Seek> Iterator for HarReader<R> {
    type Item = Result<Exchange, EntryError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(error) = self.left_out.take() {
            self.counts.damaged += 1;
            return Some(Err(error));
        }
        while !matches!(self.state, State::Done) {
            if let Some(item) = self.step() {
                return Some(item);
            }
        }
        None
    }
}

/// BLAKE3 of the content, cut to 16 bytes, and its length.
fn identity_of<R: Read + Seek>(reader: &mut R) -> std::io::Result<([u8; 16], u64)> {
    reader.seek(SeekFrom::Start(0))?;
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(reader)?;
    let mut identity = [0; 16];
    identity.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    Ok((identity, hasher.count()))
}
