//! View state: takes what stands in it to the points.

use super::{Ending, Run, Text, Without};
use crate::MessagePart;
use crate::decode;
use crate::value_tree::ValueTree;
use crate::viewstate::{self, MAGIC};

impl<'e> Run<'e, '_> {
    /// View state as it is sent, in base64. What is encrypted, or is something else, holds none that can be read; that is
    /// no damage.
    pub(super) fn viewstate(&mut self, tree: &ValueTree, text: Text<'e, '_>, part: &MessagePart) {
        let bytes = text.bytes();
        // The start of the magic in either alphabet.
        if !bytes.starts_with(b"/w") && !bytes.starts_with(b"_w") {
            return self.fill(tree.all(), Without::Absent);
        }
        if !self.may_decode(bytes.len(), tree.all(), "viewstate", part) {
            return;
        }
        let mut buffer = self.scratch.buffers().lend();
        match decode::base64_into(bytes, &mut buffer) {
            Ok(()) if buffer.starts_with(&MAGIC) => {
                let mut notes = self.scratch.notes().lend();
                let mut texts = self.scratch.buffers().lend();
                let stop = viewstate::walk(tree, &buffer, &self.bounds, &mut notes, &mut texts);
                let missing = self.stopped(stop, Ending::Whole, "viewstate", part);
                buffer.extend_from_slice(&texts);
                self.scratch.buffers().give_back(texts);
                self.deliver(tree, &notes, Text::Decoded(&buffer), missing, part);
                self.scratch.notes().give_back(notes);
            }
            Ok(()) => self.fill(tree.all(), Without::Absent),
            Err(position) => {
                self.report(part, "viewstate", position, "not base64");
                self.fill(tree.all(), Without::Unparsable);
            }
        }
        self.scratch.buffers().give_back(buffer);
    }
}
