//! Protocol Buffers and gRPC: takes what stands in messages to the points.

use threadline_model::CapturedHeaders;

use super::{Ending, Run, Text, Without};
use crate::MessagePart;
use crate::decode;
use crate::grpc::{self, FrameKind, Frames, GrpcTree};
use crate::protobuf;
use crate::scan::Stop;
use crate::value_tree::ValueTree;

impl<'e> Run<'e, '_> {
    pub(super) fn protobuf(
        &mut self,
        tree: &ValueTree,
        text: Text<'e, '_>,
        ending: Ending,
        parser: &'static str,
        part: &MessagePart,
    ) {
        let mut notes = self.scratch.notes().lend();
        let stop = protobuf::walk(tree, text.bytes(), ending.is_open(), &self.bounds, &mut notes);
        let missing = self.stopped(stop, ending, parser, part);
        self.deliver(tree, &notes, text, missing, part);
        self.scratch.notes().give_back(notes);
    }

    /// The messages of a body. That of gRPC-Web may be base64 as a whole.
    pub(super) fn grpc(
        &mut self,
        tree: &GrpcTree,
        text: Text<'e, '_>,
        ending: Ending,
        headers: &CapturedHeaders,
        part: &MessagePart,
    ) {
        /// The type of base64 bodies, and a suffix that says what the messages are (`+proto`).
        const WEB_TEXT: &[u8] = b"application/grpc-web-text";
        let is_web_text = headers
            .first("content-type")
            .and_then(|declared| declared.get(..WEB_TEXT.len()))
            .is_some_and(|declared| declared.eq_ignore_ascii_case(WEB_TEXT));
        if !is_web_text {
            return self.grpc_frames(tree, text, ending, headers, part);
        }
        if !self.may_decode(text.bytes().len(), tree.all(), "grpc", part) {
            return;
        }
        let mut buffer = self.scratch.buffers().lend();
        let ending = match decode::base64_pieces_into(text.bytes(), ending.is_open(), &mut buffer) {
            Ok(()) => ending,
            Err(position) => {
                self.report(part, "grpc", position, "not base64");
                Ending::Damaged
            }
        };
        self.grpc_frames(tree, Text::Decoded(&buffer), ending, headers, part);
        self.scratch.buffers().give_back(buffer);
    }

    fn grpc_frames(
        &mut self,
        tree: &GrpcTree,
        text: Text<'e, '_>,
        ending: Ending,
        headers: &CapturedHeaders,
        part: &MessagePart,
    ) {
        let cut = |offset| Stop { offset, reason: "ends early", ended: true };
        let mut frames = Frames::new(text.bytes());
        let mut number = 0;
        let stop = loop {
            let frame = match frames.next() {
                Ok(Some(frame)) => frame,
                // Of a text that goes on there may be more frames.
                Ok(None) if ending.is_open() => break Some(cut(text.bytes().len())),
                Ok(None) => break None,
                Err(stop) => break Some(stop),
            };
            if frame.kind != FrameKind::Trailers {
                let ending = match (frame.whole, ending) {
                    (true, _) => Ending::Whole,
                    (false, Ending::Whole) => Ending::Damaged,
                    (false, open) => open,
                };
                let message = text.part(frame.range.clone());
                match frame.kind {
                    FrameKind::CompressedMessage => {
                        self.compressed_message(tree, number, message, ending, headers, part)
                    }
                    _ => tree.message(number).for_each(|tree| self.protobuf(tree, message, ending, "grpc", part)),
                }
                if let Some(names) = &tree.names {
                    self.value(names, Text::Decoded(number.to_string().as_bytes()), part);
                }
                // A frame has at least five bytes.
                number += 1;
            }
            if !frame.whole {
                break Some(cut(text.bytes().len()));
            }
        };
        let missing = self.stopped(stop, ending, "grpc", part);
        for points in tree.from(number) {
            self.fill(points, missing);
        }
    }

    fn compressed_message(
        &mut self,
        tree: &GrpcTree,
        number: u32,
        text: Text<'e, '_>,
        ending: Ending,
        headers: &CapturedHeaders,
        part: &MessagePart,
    ) {
        if tree.message(number).next().is_none() {
            return;
        }
        match grpc::message_coding(headers.as_map()) {
            Ok(coding) => {
                let mut buffer = self.scratch.buffers().lend();
                let ending = self.decompress(coding, text.bytes(), ending, &mut buffer, part);
                for tree in tree.message(number) {
                    self.protobuf(tree, Text::Decoded(&buffer), ending, "grpc", part);
                }
                self.scratch.buffers().give_back(buffer);
            }
            Err(reason) => {
                self.report(part, "grpc", 0, reason);
                for tree in tree.message(number) {
                    self.fill(tree.all(), Without::Unparsable);
                }
            }
        }
    }
}
