//! Tokens: takes their parts to the points.

use std::ops::Range;

use super::{Ending, Run, Text, Without};
use crate::MessagePart;
use crate::decode;
use crate::token::Token;
use crate::tree::JwtNode;
use crate::value_tree::ValueTree;

impl<'e> Run<'e, '_> {
    pub(super) fn jwt(&mut self, node: &JwtNode, text: Text<'e, '_>, part: &MessagePart) {
        // A text without the shape of a token holds none, and not every token has every part; that is no damage.
        self.fill(&node.all, Without::Absent);
        let Some(token) = Token::find(text.bytes()) else { return };
        if let Some(node) = &node.prefix
            && !token.prefix.is_empty()
        {
            self.value(node, text.part(token.prefix.clone()), part);
        }
        if let Some(node) = &node.token {
            self.value(node, text.part(token.token.clone()), part);
        }
        if let (Some(node), Some(signature)) = (&node.signature, &token.signature) {
            self.value(node, text.part(signature.clone()), part);
        }
        self.every_part(node, text, &token, part);
        if let Some(tree) = &node.header {
            self.token_part(tree, text.part(token.header.clone()), token.header.start, part);
        }
        if let (Some(tree), Some(payload)) = (&node.payload, &token.payload) {
            self.token_part(tree, text.part(payload.clone()), payload.start, part);
        }
    }

    /// Decodes the header or payload of a token, which stands at `offset`, and looks into it.
    fn token_part(&mut self, tree: &ValueTree, text: Text<'e, '_>, offset: usize, part: &MessagePart) {
        if !self.may_decode(text.bytes().len(), tree.all(), "jwt", part) {
            return;
        }
        let mut buffer = self.scratch.buffers().lend();
        match decode::base64_into(text.bytes(), &mut buffer) {
            Ok(()) => self.json(tree, Text::Decoded(&buffer), Ending::Whole, part),
            Err(position) => {
                self.report(part, "jwt", offset + position, "not base64");
                self.fill(tree.all(), Without::Unparsable);
            }
        }
        self.scratch.buffers().give_back(buffer);
    }

    /// `jwt > all` and `jwt > names`: what stands before the token, its decoded header and payload, its signature.
    fn every_part(&mut self, node: &JwtNode, text: Text<'e, '_>, token: &Token, part: &MessagePart) {
        let parts: [(&str, Option<&Range<usize>>, bool); 4] = [
            ("prefix", Some(&token.prefix).filter(|prefix| !prefix.is_empty()), false),
            ("header", Some(&token.header), true),
            ("payload", token.payload.as_ref(), true),
            ("signature", token.signature.as_ref().filter(|signature| !signature.is_empty()), false),
        ];
        for (name, range, coded) in parts {
            let Some(range) = range else { continue };
            if let Some(names) = &node.names {
                self.value(names, Text::Decoded(name.as_bytes()), part);
            }
            let Some(every) = &node.every else { continue };
            let value = text.part(range.clone());
            if coded {
                self.base64(every, value, "jwt", range.start, part);
            } else {
                self.value(every, value, part);
            }
        }
    }
}
