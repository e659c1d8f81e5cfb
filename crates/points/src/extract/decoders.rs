//! Decoders: steps that rewrite a value before the next step looks at it.

use std::borrow::Cow;

use super::{Ending, Formats, Run, Text, Without};
use crate::MessagePart;
use crate::coding::Coding;
use crate::decode;
use crate::escapes;
use crate::scan::Stop;
use crate::tree::{Decoder, ValueNode};

impl<'e> Run<'e, '_> {
    /// Takes from what decoders may produce for one exchange.
    pub(super) fn may_decode(
        &mut self,
        bytes: usize,
        points: &[u16],
        parser: &'static str,
        part: &MessagePart,
    ) -> bool {
        match self.decodable.checked_sub(bytes) {
            Some(rest) => {
                self.decodable = rest;
                true
            }
            None => {
                self.report(part, parser, 0, "the bound on decoded bytes is reached");
                self.fill(points, Without::Unparsable);
                false
            }
        }
    }

    pub(super) fn decode(&mut self, decoder: &Decoder, node: &ValueNode, text: Text<'e, '_>, part: &MessagePart) {
        let bytes = text.bytes();
        match decoder {
            Decoder::Base64 => self.base64(node, text, "base64", 0, part),
            Decoder::Gzip => self.gzip(node, text, Ending::Whole, part),
            Decoder::Percent => {
                if self.may_decode(bytes.len(), &node.all, "percent", part) {
                    self.rewritten(node, text, decode::percent(bytes), part);
                }
            }
            Decoder::Htmljs => {
                if self.may_decode(bytes.len(), &node.all, "htmljs", part) {
                    self.rewritten(node, text, escapes::htmljs(bytes), part);
                }
            }
            Decoder::Lower => {
                if self.may_decode(bytes.len(), &node.all, "lower", part) {
                    self.rewritten(node, text, decode::lower(bytes), part);
                }
            }
            Decoder::Bearer => self.value(node, text.part(decode::after_scheme(bytes)..bytes.len()), part),
            Decoder::Trim => self.value(node, text.part(decode::trim(bytes)), part),
            Decoder::Capture(pattern) => match pattern.regex().captures(bytes).and_then(|groups| groups.get(1)) {
                Some(group) => self.value(node, text.part(group.range()), part),
                None => self.fill(&node.all, Without::Absent),
            },
        }
    }

    /// Goes on with a text that a decoder may have left as it was.
    pub(super) fn rewritten(
        &mut self,
        node: &ValueNode,
        text: Text<'e, '_>,
        rewritten: Cow<'_, [u8]>,
        part: &MessagePart,
    ) {
        match rewritten {
            Cow::Borrowed(_) => self.value(node, text, part),
            Cow::Owned(bytes) => self.value(node, Text::Decoded(&bytes), part),
        }
    }

    pub(super) fn base64(
        &mut self,
        node: &ValueNode,
        text: Text<'e, '_>,
        parser: &'static str,
        offset: usize,
        part: &MessagePart,
    ) {
        if !self.may_decode(text.bytes().len(), &node.all, parser, part) {
            return;
        }
        let mut buffer = self.scratch.buffers().lend();
        match decode::base64_into(text.bytes(), &mut buffer) {
            Ok(()) => self.value(node, Text::Decoded(&buffer), part),
            Err(position) => {
                self.report(part, parser, offset + position, "not base64");
                self.fill(&node.all, Without::Unparsable);
            }
        }
        self.scratch.buffers().give_back(buffer);
    }

    pub(super) fn gzip(&mut self, node: &ValueNode, text: Text<'e, '_>, ending: Ending, part: &MessagePart) {
        let mut buffer = self.scratch.buffers().lend();
        match self.decompress(Coding::Gzip, text.bytes(), ending, &mut buffer, part) {
            Ending::Whole => self.value(node, Text::Decoded(&buffer), part),
            ending => self.cut(node, Text::Decoded(&buffer), ending, part, Formats::ALL),
        }
        self.scratch.buffers().give_back(buffer);
    }

    /// Decompresses a text that ends in this way. Gives how the result ends.
    pub(super) fn decompress(
        &mut self,
        coding: Coding,
        coded: &[u8],
        ending: Ending,
        buffer: &mut Vec<u8>,
        part: &MessagePart,
    ) -> Ending {
        let (most, beyond) = self.bounds.decompressed(coded.len(), self.decodable);
        let decoded = self.scratch.coders().decode(coding, coded, most, beyond, buffer);
        self.decodable -= buffer.len();
        match decoded.stop {
            None => {
                // Of a text that goes on it may be the start of another member or frame.
                if decoded.used < coded.len() && ending == Ending::Whole {
                    self.report(part, coding.name(), decoded.used, "bytes behind the end");
                }
                ending
            }
            Some(Stop { ended: true, .. }) if ending.is_open() => ending,
            Some(stop) => {
                self.report(part, coding.name(), stop.offset, stop.reason);
                Ending::Damaged
            }
        }
    }
}
