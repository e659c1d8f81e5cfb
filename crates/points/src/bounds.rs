//! How much work an exchange may cause, and the buffers that work is done in.

use crate::coding::Coders;
use crate::form::FieldNotes;
use crate::value_tree::Notes;
use crate::xml::XmlNotes;

/// Bounds on what an exchange may cause. What goes beyond them is reported as a
/// [`ParseError`](crate::ParseError), never dropped silently and never a failure of the exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Bounds {
    /// Most points of one plan.
    pub points: usize,
    /// Most formats decoded inside each other for one point; at most [`Bounds::MAXIMUM_ROUNDS`], beyond which a point
    /// is refused.
    pub rounds: usize,
    /// Deepest nesting of arrays and objects in a document; at most [`Bounds::MAXIMUM_DEPTH`].
    pub depth: usize,
    /// Most values of one point that takes several (`all`, `names`) in one exchange.
    pub values: usize,
    /// Most bytes that decoders may produce for one exchange.
    pub decoded_bytes: usize,
    /// Most bytes that decompressing may make of one compressed byte, once it has made more than
    /// [`Bounds::DECODED_FREELY`] of the value.
    pub decoded_ratio: usize,
    /// Most parse errors kept of one exchange; later ones are left out.
    pub parse_errors: usize,
}

impl Bounds {
    /// The deepest nesting that can be configured.
    pub const MAXIMUM_DEPTH: usize = 1024;

    /// The most formats inside each other that a point may decode.
    pub const MAXIMUM_ROUNDS: usize = 12;

    /// What may be decompressed of one value whatever its ratio, bytes: small documents that repeat themselves a lot
    /// do no harm.
    pub const DECODED_FREELY: usize = 64 * 1024;

    /// The most that may be decompressed of `coded` bytes while `decodable` bytes may still be produced, and the
    /// reason for stopping there.
    pub(crate) fn decompressed(&self, coded: usize, decodable: usize) -> (usize, &'static str) {
        let by_ratio = coded.saturating_mul(self.decoded_ratio).max(Self::DECODED_FREELY);
        if by_ratio < decodable {
            (by_ratio, "the bound on the decoding ratio is reached")
        } else {
            (decodable, "the bound on decoded bytes is reached")
        }
    }
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            points: 512,
            rounds: Self::MAXIMUM_ROUNDS,
            depth: 128,
            values: 256,
            decoded_bytes: 1024 * 1024,
            decoded_ratio: 200,
            parse_errors: 8,
        }
    }
}

/// Buffers that are used again from exchange to exchange; one per worker. Holds nothing between two exchanges that
/// a later one could see.
#[derive(Default)]
pub struct Scratch {
    buffers: Pool<Vec<u8>>,
    notes: Pool<Notes>,
    fields: Pool<FieldNotes>,
    xml: Pool<XmlNotes>,
    coders: Coders,
}

impl std::fmt::Debug for Scratch {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Scratch")
    }
}

impl Scratch {
    pub(crate) fn buffers(&mut self) -> &mut Pool<Vec<u8>> {
        &mut self.buffers
    }

    pub(crate) fn notes(&mut self) -> &mut Pool<Notes> {
        &mut self.notes
    }

    pub(crate) fn fields(&mut self) -> &mut Pool<FieldNotes> {
        &mut self.fields
    }

    pub(crate) fn xml(&mut self) -> &mut Pool<XmlNotes> {
        &mut self.xml
    }

    pub(crate) fn coders(&mut self) -> &mut Coders {
        &mut self.coders
    }
}

/// What can be used again: emptied, and without more memory than is worth keeping.
pub(crate) trait Reused: Default {
    /// Forgets everything.
    fn empty(&mut self);
}

/// What a vector may keep allocated between exchanges, in elements.
const KEPT: usize = 128 * 1024;

impl<T> Reused for Vec<T> {
    #[inline]
    fn empty(&mut self) {
        self.clear();
        if self.capacity() > KEPT {
            self.shrink_to(KEPT);
        }
    }
}

impl Reused for Notes {
    fn empty(&mut self) {
        self.raws.empty();
        self.log.empty();
    }
}

impl Reused for FieldNotes {
    fn empty(&mut self) {
        self.states.empty();
        self.log.empty();
    }
}

impl Reused for XmlNotes {
    fn empty(&mut self) {
        self.log.empty();
        self.held.empty();
        self.counts.empty();
    }
}

/// Things lent out, one per format that is being walked, and given back.
pub(crate) struct Pool<T>(Vec<T>);

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Reused> Pool<T> {
    /// An empty one.
    pub(crate) fn lend(&mut self) -> T {
        self.0.pop().unwrap_or_default()
    }

    pub(crate) fn give_back(&mut self, mut lent: T) {
        lent.empty();
        self.0.push(lent);
    }
}
