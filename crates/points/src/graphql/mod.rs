//! GraphQL documents (specification of September 2025, section 2, executable documents only; also what editions before
//! and after it accept): one pass that notes what stands at the wanted places.
//!
//! A document is seen as a value made of objects, so that the tree and the notes of JSON serve it too:
//!
//! ```text
//! {query|mutation|subscription: {NAME: SELECTION}, fragment: {NAME: SELECTION}, variable: {NAME: value}}
//! SELECTION = {field: {NAME: SELECTION}, inline: SELECTION, argument: {NAME: value}, directive: {NAME: SELECTION},
//!              variable: {NAME: value}, alias: text, spread: text, type: text}
//! ```
//!
//! [`lower`] rewrites the steps of points into that shape. Where a name occurs several times, the first occurrence
//! stands for it. What an argument takes from a variable is looked up in the variables of the request.

mod block_string;
mod lexer;
mod literal;
mod post;
mod variables;
mod walk;

use std::ops::Range;

use crate::scan::Stop;
use crate::tree::{Lowering, Trie};
use crate::value_tree::{Notes, ValueTree};
use crate::{Bounds, Step};

pub(crate) use block_string::value_into as block_string_into;
pub(crate) use post::{Post, is_post, posts};

/// A document with the variables of its request, as ranges of one text.
#[derive(Clone, Default)]
pub(crate) struct Document {
    /// The document; none in a request that names a persisted one.
    pub(crate) source: Option<Range<usize>>,
    /// The document goes on beyond its range.
    pub(crate) source_open: bool,
    /// A JSON object.
    pub(crate) variables: Option<Range<usize>>,
    /// There may be more variables than those.
    pub(crate) variables_open: bool,
}

/// Walks documents in turn and notes what stands at the wanted places; `text` is UTF-8. Looking up variables takes
/// from `budget`, bytes: a document may name the same large value again and again. Gives where the first damage is:
/// the position in `text`, of the source of a document or of its variables.
pub(crate) fn walk(
    tree: &ValueTree,
    text: &[u8],
    documents: &[Document],
    bounds: &Bounds,
    budget: &mut usize,
    notes: &mut Notes,
) -> Option<Stop> {
    notes.start(tree);
    let mut damage = None;
    for document in documents {
        let stops = walk::document(tree, text, document, bounds, budget, notes);
        damage = damage.or(stops);
    }
    damage
}

/// The tree of the points below `graphql`.
pub(crate) fn lower(trie: &Trie, lowering: &mut Lowering) -> ValueTree {
    ValueTree::lower(&as_objects(trie), lowering)
}

/// Steps of GraphQL as properties of the objects described above.
fn as_objects(trie: &Trie) -> Trie {
    let mut objects = Trie { points: trie.points.clone(), beyond: trie.beyond.clone(), children: Vec::new() };
    for (step, child) in &trie.children {
        let group = objects.child_mut(&Step::Property(step.word().to_owned()));
        match step {
            Step::Query(name) | Step::Mutation(name) | Step::Subscription(name) | Step::Field(name) => {
                group.children.push((Step::Property(name.clone()), as_objects(child)));
            }
            Step::Argument(name) | Step::Variable(name) => {
                group.children.push((Step::Property(name.clone()), child.clone()));
            }
            Step::Queries | Step::Mutations | Step::Subscriptions | Step::Fields => {
                group.children.push((Step::Properties, every(child, as_objects)));
            }
            Step::Arguments | Step::Variables => group.children.push((Step::Properties, child.clone())),
            // `property NAME` and `property` follow.
            Step::Directive | Step::Fragment => {
                group.children.extend(child.children.iter().map(|(step, child)| match step {
                    Step::Properties => (Step::Properties, every(child, as_objects)),
                    named => (named.clone(), as_objects(child)),
                }));
            }
            Step::Inline => *group = as_objects(child),
            // `alias`, `spread`, `type`: texts.
            _ => *group = child.clone(),
        }
    }
    objects
}

/// `all` and `names` behind a step without a name.
fn every(trie: &Trie, rewrite: impl Fn(&Trie) -> Trie) -> Trie {
    let children = trie.children.iter().map(|(step, child)| match step {
        Step::All => (Step::All, rewrite(child)),
        other => (other.clone(), child.clone()),
    });
    Trie { points: trie.points.clone(), beyond: trie.beyond.clone(), children: children.collect() }
}
