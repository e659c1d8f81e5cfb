//! Operations of GraphQL: in JSON, a batch, a query, a form with files, or a document of its own.

use threadline_model::Exchange;

use super::{Operation, name, plan};
use crate::{Bounds, Extracted, Found, Plan, PlanError, Scratch};

/// Where a document may stand, and the name of the operation that is asked for. The first of a batch comes before the
/// batch.
const PLACES: [(&str, &str); 4] = [
    (
        "request > body > json > index 0 > property query > graphql",
        "request > body > json > index 0 > property operationName",
    ),
    ("request > body > graphql", "request > body > json > property operationName"),
    ("request > query query > graphql", "request > query operationName"),
    (
        "request > body > multipart operations > graphql",
        "request > body > multipart operations > json > property operationName",
    ),
];
const KINDS: [&str; 3] = ["query", "mutation", "subscription"];

/// How many points each place has: the name that is asked for, the names of each kind, the fields of an anonymous
/// operation of each kind.
const POINTS_OF_PLACE: usize = 1 + 2 * KINDS.len();

/// After them the elements of a batch.
const ELEMENTS: usize = PLACES.len() * POINTS_OF_PLACE;

pub(super) fn points() -> Vec<String> {
    let mut points = Vec::new();
    for (document, asked) in PLACES {
        points.push(asked.to_owned());
        points.extend(KINDS.map(|kind| format!("{document} > {kind} > names")));
        points.extend(KINDS.map(|kind| format!("{document} > {kind} \"\" > field > names")));
    }
    points.push("request > body > json > index > names".to_owned());
    points
}

pub(super) struct Graphql {
    plan: Plan,
}

impl Graphql {
    pub(super) fn new(bounds: Bounds) -> Result<Self, PlanError> {
        Ok(Self { plan: plan(&points(), bounds)? })
    }

    pub(super) fn read(&self, exchange: &Exchange, scratch: &mut Scratch) -> Option<Operation> {
        let extracted = self.plan.extract(exchange, scratch);
        let operation = (0..PLACES.len()).find_map(|place| at(&extracted, place * POINTS_OF_PLACE))?;
        Some(Operation { further: extracted.values(ELEMENTS).count().saturating_sub(1), ..operation })
    }
}

/// The operation that is executed of a document whose points begin at `first`.
fn at(extracted: &Extracted<'_>, first: usize) -> Option<Operation> {
    let names = |kind: usize| first + 1 + kind;
    let fields = |kind: usize| first + 1 + KINDS.len() + kind;
    let of_kind = |kind: usize, name: Option<String>, is_field: bool| {
        Some(Operation { kind: Some(KINDS[kind].to_owned()), name, is_field, further: 0 })
    };
    if let Some(asked) = extracted.get(first).value() {
        let declared = (0..KINDS.len()).find(|kind| extracted.values(names(*kind)).any(|name| name == asked));
        let asked = name(asked, is_name_byte);
        return match declared {
            Some(kind) => of_kind(kind, asked, false),
            // A persisted document.
            None => asked.map(|name| Operation { name: Some(name), ..Operation::default() }),
        };
    }
    if let Some((kind, first)) = (0..KINDS.len()).find_map(|kind| Some((kind, extracted.values(names(kind)).next()?))) {
        return of_kind(kind, name(first, is_name_byte), false);
    }
    // Of a body that was cut, only its fields tell that there is one.
    let is_anonymous =
        |kind: &usize| *extracted.get(names(*kind)) == Found::Empty || extracted.get(fields(*kind)).value().is_some();
    let anonymous = (0..KINDS.len()).find(is_anonymous)?;
    let field = extracted.values(fields(anonymous)).next().and_then(|field| name(field, is_name_byte));
    let is_field = field.is_some();
    of_kind(anonymous, field, is_field)
}

/// What a name of GraphQL is made of.
fn is_name_byte(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || *byte == b'_'
}
