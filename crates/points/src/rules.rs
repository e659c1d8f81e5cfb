//! Which step may follow which: one table. A point is a walk through it; editors ask it what may come next.
//!
//! A row is a *place*, that is, what a walk has arrived at. It says whether a point may end there and which steps
//! lead on to which place. After `all` or `names` a walk has arrived at several such places at once, and `joined` may
//! make one text of them. Nothing else in the crate decides what a valid point is.

use crate::protobuf;
use crate::step::{Kind, Side, Step};

/// What a walk has arrived at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Request,
    Response,
    /// A fact of the exchange that holds no further format: method, status, address.
    Fact,
    /// Text that may hold another format.
    Text,
    /// Text that may occur several times: a header, a cookie.
    Repeated,
    /// The request's Cookie header.
    CookieHeader,
    /// The response's Set-Cookie header.
    SetCookieHeader,
    Body,
    /// All fields of a form.
    Fields,
    /// A field of a query or form, whose name may be nested or repeated.
    Field,
    /// The decoded object in a token.
    Claims,
    /// A value of a tree of objects and arrays.
    Value,
    /// A part of a multipart body, whose name may be nested or repeated.
    Part,
    /// One of several parts.
    OnePart,
    /// A message of Protocol Buffers: all that leads on is the number of a field.
    Message,
    /// The messages of a gRPC body, of which the first one is at hand.
    Messages,
    /// A field of a message: every one of its occurrences, of which the last one is at hand.
    MessageField,
    /// One occurrence of a field, or one message.
    MessageValue,
    XmlDocument,
    /// The elements of one name, or the first of them.
    XmlElement,
    /// One of several elements.
    XmlOccurrence,
    /// A comment, a processing instruction or an entity of an XML document.
    XmlAside,
    GraphqlDocument,
    GraphqlOperation,
    GraphqlFragments,
    /// A fragment, named or inline.
    GraphqlFragment,
    GraphqlField,
    GraphqlDirectives,
    GraphqlDirective,
    /// A step without its name, over texts: `all` or `names` must follow.
    EveryText,
    /// The same over a tree of objects and arrays.
    EveryValue,
    /// The same over the parts of a multipart body.
    EveryPart,
    /// The same over fields and messages.
    EveryMessageValue,
    /// The same over the elements of an XML document.
    EveryElement,
    /// The same over what a GraphQL document holds.
    EveryOperation,
    EveryFragment,
    EveryField,
    EveryDirective,
}

/// Where a walk stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reached {
    pub(crate) place: Place,
    /// At several places of this kind at once.
    several: bool,
}

/// One row: the place, whether a point may end there, and the steps that lead on.
struct Row {
    place: Place,
    may_end: bool,
    next: &'static [&'static [(Kind, Place)]],
}

const fn row(place: Place, may_end: bool, next: &'static [&'static [(Kind, Place)]]) -> Row {
    Row { place, may_end, next }
}

type Group = &'static [(Kind, Place)];

const REQUEST_ONLY: Group = &[
    (Kind::Method, Place::Fact),
    (Kind::Scheme, Place::Fact),
    (Kind::Proto, Place::Fact),
    (Kind::Host, Place::Fact),
    (Kind::Uri, Place::Text),
    (Kind::Path, Place::Text),
    (Kind::Paths, Place::EveryText),
    (Kind::ActionName, Place::Text),
    (Kind::ActionExt, Place::Text),
    (Kind::Query, Place::Field),
    (Kind::Queries, Place::EveryText),
    (Kind::RemoteAddr, Place::Fact),
    (Kind::Ja3, Place::Fact),
    (Kind::Ja4, Place::Fact),
];
const RESPONSE_ONLY: Group = &[(Kind::Status, Place::Fact)];
const MESSAGE: Group = &[(Kind::Header, Place::Repeated), (Kind::Headers, Place::EveryText), (Kind::Body, Place::Body)];
const BODY_ONLY: Group =
    &[(Kind::Multipart, Place::Part), (Kind::Multiparts, Place::EveryPart), (Kind::Grpc, Place::Messages)];
const COOKIES: Group = &[(Kind::Cookie, Place::Repeated), (Kind::Cookies, Place::EveryText)];
const PARSERS: Group = &[
    (Kind::Json, Place::Value),
    (Kind::Xml, Place::XmlDocument),
    (Kind::Form, Place::Fields),
    // `jwt header` and `jwt payload` arrive decoded: see `place_after`.
    (Kind::Jwt, Place::Text),
    (Kind::Jwts, Place::EveryText),
    (Kind::Graphql, Place::GraphqlDocument),
    (Kind::Protobuf, Place::Message),
    (Kind::Viewstate, Place::Value),
    (Kind::Base64, Place::Text),
    (Kind::Gzip, Place::Text),
    (Kind::Percent, Place::Text),
    (Kind::Htmljs, Place::Text),
];
const JOINED: Group = &[(Kind::Joined, Place::Text)];
const BEARER: Group = &[(Kind::Bearer, Place::Text)];
const TIDY: Group = &[(Kind::Trim, Place::Text), (Kind::Lower, Place::Text), (Kind::Capture, Place::Text)];
const FACT_TIDY: Group = &[(Kind::Trim, Place::Fact), (Kind::Lower, Place::Fact), (Kind::Capture, Place::Fact)];
const PROPERTY: Group = &[(Kind::Property, Place::Value), (Kind::Properties, Place::EveryValue)];
const INDEX: Group = &[(Kind::Index, Place::Value), (Kind::Indexes, Place::EveryValue)];
const PART_HEADER: Group = &[(Kind::Header, Place::Text)];
const MESSAGE_FIELD: Group = &[(Kind::Property, Place::MessageField), (Kind::Properties, Place::EveryMessageValue)];
const MESSAGE_INDEX: Group = &[(Kind::Index, Place::MessageValue), (Kind::Indexes, Place::EveryMessageValue)];
const SELECTIONS: Group = &[
    (Kind::Field, Place::GraphqlField),
    (Kind::Fields, Place::EveryField),
    (Kind::Inline, Place::GraphqlFragment),
    (Kind::Spread, Place::Text),
    (Kind::Directive, Place::GraphqlDirectives),
];
const ARGUMENTS: Group = &[(Kind::Argument, Place::Value), (Kind::Arguments, Place::EveryValue)];
const VARIABLES: Group = &[(Kind::Variable, Place::Value), (Kind::Variables, Place::EveryValue)];
const EVERY_TEXT: Group = &[(Kind::All, Place::Text), (Kind::Names, Place::Text)];

const TABLE: &[Row] = &[
    row(Place::Request, false, &[REQUEST_ONLY, MESSAGE]),
    row(Place::Response, false, &[RESPONSE_ONLY, MESSAGE]),
    row(Place::Fact, true, &[FACT_TIDY]),
    row(Place::Text, true, &[PARSERS, BEARER, TIDY]),
    row(Place::Repeated, true, &[JOINED, PARSERS, BEARER, TIDY]),
    row(Place::CookieHeader, true, &[COOKIES, JOINED, PARSERS, BEARER, TIDY]),
    row(Place::SetCookieHeader, true, &[COOKIES, JOINED, PARSERS, BEARER, TIDY]),
    row(Place::Body, true, &[BODY_ONLY, PARSERS, TIDY]),
    row(Place::Fields, false, &[&[(Kind::Property, Place::Field)], EVERY_TEXT]),
    row(
        Place::Field,
        true,
        &[
            &[
                (Kind::Property, Place::Field),
                (Kind::Properties, Place::EveryText),
                (Kind::Index, Place::Field),
                (Kind::Indexes, Place::EveryText),
            ],
            JOINED,
            PARSERS,
            BEARER,
            TIDY,
        ],
    ),
    row(Place::Claims, false, &[PROPERTY]),
    row(Place::Value, true, &[PROPERTY, INDEX, PARSERS, BEARER, TIDY]),
    row(
        Place::Part,
        true,
        &[
            &[
                (Kind::Property, Place::Part),
                (Kind::Properties, Place::EveryPart),
                (Kind::Index, Place::Part),
                (Kind::Indexes, Place::EveryPart),
            ],
            PART_HEADER,
            JOINED,
            PARSERS,
            BEARER,
            TIDY,
        ],
    ),
    row(Place::OnePart, true, &[PART_HEADER, PARSERS, BEARER, TIDY]),
    row(Place::Message, false, &[MESSAGE_FIELD]),
    row(Place::Messages, true, &[MESSAGE_FIELD, MESSAGE_INDEX, PARSERS, BEARER, TIDY]),
    row(Place::MessageField, true, &[MESSAGE_FIELD, MESSAGE_INDEX, PARSERS, BEARER, TIDY]),
    row(Place::MessageValue, true, &[MESSAGE_FIELD, PARSERS, BEARER, TIDY]),
    row(Place::XmlDocument, false, &[&[(Kind::Property, Place::XmlElement), (Kind::Properties, Place::EveryElement)]]),
    row(
        Place::XmlElement,
        true,
        &[
            &[
                (Kind::Property, Place::XmlElement),
                (Kind::Properties, Place::EveryElement),
                (Kind::Index, Place::XmlOccurrence),
                (Kind::Indexes, Place::EveryElement),
                (Kind::Attribute, Place::Text),
            ],
            JOINED,
            PARSERS,
            BEARER,
            TIDY,
        ],
    ),
    row(
        Place::XmlOccurrence,
        true,
        &[
            &[
                (Kind::Property, Place::XmlElement),
                (Kind::Properties, Place::EveryElement),
                (Kind::Attribute, Place::Text),
            ],
            PARSERS,
            BEARER,
            TIDY,
        ],
    ),
    row(
        Place::XmlAside,
        true,
        &[&[(Kind::Index, Place::Text), (Kind::Indexes, Place::EveryText)], JOINED, PARSERS, BEARER, TIDY],
    ),
    row(
        Place::GraphqlDocument,
        false,
        &[
            &[
                (Kind::Query, Place::GraphqlOperation),
                (Kind::Queries, Place::EveryOperation),
                (Kind::Mutation, Place::GraphqlOperation),
                (Kind::Mutations, Place::EveryOperation),
                (Kind::Subscription, Place::GraphqlOperation),
                (Kind::Subscriptions, Place::EveryOperation),
                (Kind::Fragment, Place::GraphqlFragments),
            ],
            VARIABLES,
        ],
    ),
    row(Place::GraphqlOperation, false, &[SELECTIONS, VARIABLES]),
    row(
        Place::GraphqlFragments,
        false,
        &[&[(Kind::Property, Place::GraphqlFragment), (Kind::Properties, Place::EveryFragment)]],
    ),
    row(Place::GraphqlFragment, false, &[SELECTIONS, &[(Kind::Type, Place::Text)]]),
    row(Place::GraphqlField, false, &[SELECTIONS, ARGUMENTS, &[(Kind::Alias, Place::Text)]]),
    row(
        Place::GraphqlDirectives,
        false,
        &[&[(Kind::Property, Place::GraphqlDirective), (Kind::Properties, Place::EveryDirective)]],
    ),
    row(Place::GraphqlDirective, false, &[ARGUMENTS]),
    row(Place::EveryText, false, &[EVERY_TEXT]),
    row(Place::EveryValue, false, &[&[(Kind::All, Place::Value), (Kind::Names, Place::Text)]]),
    row(Place::EveryPart, false, &[&[(Kind::All, Place::OnePart), (Kind::Names, Place::Text)]]),
    row(Place::EveryMessageValue, false, &[&[(Kind::All, Place::MessageValue), (Kind::Names, Place::Text)]]),
    row(Place::EveryElement, false, &[&[(Kind::All, Place::XmlOccurrence), (Kind::Names, Place::Text)]]),
    row(Place::EveryOperation, false, &[&[(Kind::All, Place::GraphqlOperation), (Kind::Names, Place::Text)]]),
    row(Place::EveryFragment, false, &[&[(Kind::All, Place::GraphqlFragment), (Kind::Names, Place::Text)]]),
    row(Place::EveryField, false, &[&[(Kind::All, Place::GraphqlField), (Kind::Names, Place::Text)]]),
    row(Place::EveryDirective, false, &[&[(Kind::All, Place::GraphqlDirective), (Kind::Names, Place::Text)]]),
];

impl Place {
    fn row(self) -> Option<&'static Row> {
        TABLE.iter().find(|row| row.place == self)
    }

    fn steps(self) -> impl Iterator<Item = &'static (Kind, Place)> {
        self.row().into_iter().flat_map(|row| row.next.iter().copied().flatten())
    }
}

impl Reached {
    pub(crate) const fn start(side: Side) -> Self {
        let place = match side {
            Side::Request => Place::Request,
            Side::Response => Place::Response,
        };
        Self { place, several: false }
    }

    /// Whether a point may end here.
    pub(crate) fn may_end(self) -> bool {
        self.place.row().is_some_and(|row| row.may_end)
    }

    /// `joined` may stand here although the place has no row for it.
    fn may_join(self) -> bool {
        self.several && self.may_end() && self.place.steps().all(|(kind, _)| *kind != Kind::Joined)
    }

    /// The steps that may stand next.
    pub(crate) fn next(self) -> impl Iterator<Item = Kind> {
        self.place.steps().map(|(kind, _)| *kind).chain(self.may_join().then_some(Kind::Joined))
    }

    /// Why a step that may stand here can never match with its argument: fields of a message have numbers.
    pub(crate) fn refuses(self, step: &Step) -> Option<&'static str> {
        let messages = [Place::Message, Place::Messages, Place::MessageField, Place::MessageValue];
        let Step::Property(name) = step else { return None };
        let is_number = || {
            let number = name.parse().ok().filter(|number| (1..=protobuf::LARGEST_FIELD).contains(number));
            // Written as it will be compared: without sign and leading zeros.
            number.is_some_and(|number: u32| number.to_string() == *name)
        };
        (messages.contains(&self.place) && !is_number()).then_some("needs the number of a field, from 1 to 536870911")
    }

    /// Where a step leads; `None` when it may not stand here. Some names lead elsewhere than their step does.
    pub(crate) fn after(self, step: &Step) -> Option<Self> {
        let kind = step.kind();
        let several = (self.several || matches!(kind, Kind::All | Kind::Names)) && kind != Kind::Joined;
        if kind == Kind::Joined && self.may_join() {
            return Some(Self { place: Place::Text, several });
        }
        let (_, place) = self.place.steps().find(|(candidate, _)| *candidate == kind)?;
        let place = match (self.place, step) {
            (Place::Request, Step::Header(name)) if name.as_str() == "COOKIE" => Place::CookieHeader,
            (Place::Response, Step::Header(name)) if name.as_str() == "SET-COOKIE" => Place::SetCookieHeader,
            (_, Step::Jwt(crate::JwtPart::Header | crate::JwtPart::Payload)) => Place::Claims,
            (_, Step::Property(name)) if *place == Place::XmlElement && crate::xml::is_aside(name) => Place::XmlAside,
            _ => *place,
        };
        Some(Self { place, several })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_has_exactly_one_row_and_every_step_is_reachable() {
        let mut reachable = Vec::new();
        for row in TABLE {
            assert_eq!(TABLE.iter().filter(|other| other.place == row.place).count(), 1, "{:?}", row.place);
            for (kind, place) in row.next.iter().copied().flatten() {
                assert!(place.row().is_some(), "{place:?}");
                reachable.push(*kind);
            }
        }
        for kind in Kind::ALL {
            assert!(reachable.contains(kind), "{kind:?}");
        }
    }

    #[test]
    fn a_row_names_each_step_once() {
        for row in TABLE {
            let forms: Vec<Kind> = row.place.steps().map(|(kind, _)| *kind).collect();
            for kind in &forms {
                assert_eq!(forms.iter().filter(|other| *other == kind).count(), 1, "{:?} {kind:?}", row.place);
            }
        }
    }
}
