//! Points that take values from several places (`all`, `names`), and those values joined.

use std::borrow::Cow;

use threadline_model::{CapturedHeaders, Exchange, Request};

use super::{Run, Text, Without};
use crate::cookie;
use crate::decode;
use crate::target;
use crate::tree::{EveryPlan, ValueNode};
use crate::{Found, MessagePart, SetCookie, Side};

/// What one run keeps for such points.
pub(super) struct Several<'e, 'p> {
    /// Whether a point takes several values, by its position; empty when none does.
    takes: &'p [bool],
    /// What looks at values that are joined.
    joins: &'p [ValueNode],
    /// The values joined so far, and where they come from.
    joined: Vec<Option<(Vec<u8>, MessagePart)>>,
    /// The values after the first of each point.
    pub(super) more: Vec<(u16, Cow<'e, [u8]>)>,
    /// How many values each point has, once one has two.
    counts: Vec<usize>,
}

impl<'p> Several<'_, 'p> {
    pub(super) fn new(takes: &'p [bool], joins: &'p [ValueNode]) -> Self {
        Self { takes, joins, joined: vec![None; joins.len()], more: Vec::new(), counts: Vec::new() }
    }

    #[inline]
    pub(super) fn takes(&self, point: u16) -> bool {
        self.takes.get(usize::from(point)).is_some_and(|takes| *takes)
    }
}

/// Whether what is known so far of a point that takes several values gives way to a place without one: values stay,
/// and so does what says that there may be more.
pub(super) fn gives_way(found: &Found<'_>, without: Without) -> bool {
    let rank = |found: &Found<'_>| match found {
        Found::Absent => 0,
        Found::Empty => 1,
        Found::NotScalar => 2,
        Found::NotCaptured => 3,
        Found::Unparsable => 4,
        Found::Masked | Found::Value(_) => 5,
    };
    rank(found) < rank(&without.into())
}

impl<'e> Run<'e, '_> {
    /// Gives a point one of its values.
    pub(super) fn one_of_several(&mut self, point: u16, text: Text<'e, '_>, part: &MessagePart) {
        let position = usize::from(point);
        if self.found[position].value().is_none() {
            self.found[position] = Found::Value(text.kept());
            return;
        }
        let several = &mut self.several;
        several.counts.resize(self.found.len(), 1);
        let count = &mut several.counts[position];
        *count += 1;
        if *count <= self.bounds.values {
            several.more.push((point, text.kept()));
        } else if *count == self.bounds.values + 1 {
            self.report(part, "all", 0, "the bound on values is reached");
        }
    }

    /// Adds a value to those that are joined at a place of the plan.
    pub(super) fn keep_for_joining(&mut self, place: u16, text: Text<'e, '_>, part: &MessagePart) {
        let bytes = text.bytes();
        let Some(node) = self.several.joins.get(usize::from(place)) else { return };
        if !self.may_decode(bytes.len() + 1, &node.all, "joined", part) {
            return;
        }
        let (joined, _) = self.several.joined[usize::from(place)].get_or_insert_with(|| (Vec::new(), part.clone()));
        if !joined.is_empty() {
            joined.push(b',');
        }
        joined.extend_from_slice(bytes);
    }

    /// Takes joined values on. Those of which one may be missing are not known.
    pub(super) fn join(&mut self) {
        for (place, node) in self.several.joins.iter().enumerate() {
            let Some((joined, part)) = self.several.joined[place].take() else { continue };
            let whole =
                |point: &u16| !matches!(self.found[usize::from(*point)], Found::NotCaptured | Found::Unparsable);
            if node.all.iter().all(whole) {
                self.value(node, Text::Decoded(&joined), &part);
            }
        }
    }

    pub(super) fn path(&mut self, plan: &EveryPlan, request: &'e Request) {
        for (number, text) in target::parts(target::path(request.target.as_bytes())).enumerate() {
            if let Some(node) = &plan.all {
                self.rewritten(node, Text::Captured(text), decode::percent(text), &plan.part);
            }
            if let Some(node) = &plan.names {
                self.value(node, Text::Decoded(number.to_string().as_bytes()), &plan.part);
            }
        }
    }

    pub(super) fn every_header(&mut self, plan: &EveryPlan, headers: &'e CapturedHeaders) {
        for (name, value) in headers.as_map() {
            if let Some(node) = &plan.all {
                self.value(node, Text::Captured(value.as_bytes()), &plan.part);
            }
            if let Some(node) = &plan.names {
                self.value(node, Text::Decoded(name.as_str().to_ascii_uppercase().as_bytes()), &plan.part);
            }
        }
    }

    /// The cookies of one header.
    pub(super) fn every_cookie(&mut self, plan: &EveryPlan, header: &'e [u8], side: Side, exchange: &Exchange) {
        let mut cookie = |(name, value): (&'e [u8], &'e [u8])| {
            for (node, text) in [(&plan.all, value), (&plan.names, name)] {
                if let Some(node) = node {
                    self.value(node, Text::Captured(text), &plan.part);
                }
            }
        };
        match side {
            Side::Request => cookie::every_sent(header).for_each(cookie),
            Side::Response => {
                let set = SetCookie::parse(header).filter(|set| !set.has_expired(exchange.started));
                if let Some(set) = set {
                    cookie((set.name, set.value));
                }
            }
        }
    }
}
