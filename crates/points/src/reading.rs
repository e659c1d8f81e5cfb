//! What an exchange holds at a place and below it, asked with points: the names of an object, the number of elements.
//! Shared by preview and list, so that both see what grouping sees.

use crate::mask::Masks;
use crate::step::{Kind, Step};
use crate::{Bounds, HeaderLabel, Plan, Point, Side};

/// How the names of what stands at a place are asked for, and the step that a name becomes. In the order of trying;
/// the grammar decides which of them may stand where. A format with names of its own adds a line.
const CONTAINERS: &[(&[Step], Kind, NamedStep)] = &[
    (&[Step::Paths, Step::Names], Kind::Path, |name| number(name).map(Step::Path)),
    (&[Step::Queries, Step::Names], Kind::Query, |name| Some(Step::Query(base_name(name).to_owned()))),
    (&[Step::Mutations, Step::Names], Kind::Mutation, |name| Some(Step::Mutation(name.to_owned()))),
    (&[Step::Subscriptions, Step::Names], Kind::Subscription, |name| Some(Step::Subscription(name.to_owned()))),
    (&[Step::Variables, Step::Names], Kind::Variable, |name| Some(Step::Variable(name.to_owned()))),
    (&[Step::Arguments, Step::Names], Kind::Argument, |name| Some(Step::Argument(name.to_owned()))),
    (&[Step::Fields, Step::Names], Kind::Field, |name| Some(Step::Field(name.to_owned()))),
    (&[Step::Headers, Step::Names], Kind::Header, |name| HeaderLabel::new(name).map(Step::Header)),
    (&[Step::Cookies, Step::Names], Kind::Cookie, |name| Some(Step::Cookie(name.to_owned()))),
    (&[Step::Multiparts, Step::Names], Kind::Multipart, |name| Some(Step::Multipart(base_name(name).to_owned()))),
    // All names of a form stand directly behind it.
    (&[Step::Names], Kind::Property, |name| Some(Step::Property(base_name(name).to_owned()))),
    (&[Step::Properties, Step::Names], Kind::Property, |name| Some(Step::Property(name.to_owned()))),
    (&[Step::Indexes, Step::Names], Kind::Index, |name| number(name).map(Step::Index)),
];

/// The step that a name becomes.
pub(crate) type NamedStep = fn(&str) -> Option<Step>;

fn number(text: &str) -> Option<u32> {
    text.parse().ok()
}

/// The field that a nested name belongs to: `p` of `p[x]`.
fn base_name(name: &str) -> &str {
    match name.find('[') {
        Some(bracket) if bracket > 0 => &name[..bracket],
        _ => name,
    }
}

/// A question for the names of what stands at a place.
pub(crate) struct Names {
    pub(crate) point: Point,
    /// The kind of step that a name becomes.
    pub(crate) kind: Kind,
    pub(crate) step: NamedStep,
}

impl Names {
    /// Whether the names are the numbers of elements.
    pub(crate) fn are_numbers(&self) -> bool {
        matches!(self.kind, Kind::Index | Kind::Path)
    }
}

/// The questions for the names of what may stand after `steps`.
pub(crate) fn names_after(side: Side, steps: &[Step], bounds: Bounds) -> impl Iterator<Item = Names> {
    CONTAINERS.iter().filter_map(move |(asking, kind, step)| {
        let point = resolved(side, [steps, asking].concat(), bounds)?;
        Some(Names { point, kind: *kind, step: *step })
    })
}

/// The point with these steps, if it is one and this version resolves it within the bounds.
pub(crate) fn resolved(side: Side, steps: Vec<Step>, bounds: Bounds) -> Option<Point> {
    let point = Point::new(side, steps).ok()?;
    Plan::compile(std::slice::from_ref(&point), bounds).ok().map(|_| point)
}

/// Whether the names of what stands after `steps` may be shown: not inside a masked place, nor in another reading of
/// its text. Beside a masked place they may: a mask covers values.
pub(crate) fn shows_names(side: Side, steps: &[Step], names: &Point, masks: &Masks<'_>) -> bool {
    masks
        .hiding(names)
        .filter(|mask| mask.side() == side)
        .all(|mask| mask.steps().len() > steps.len() && mask.steps().starts_with(steps))
}
