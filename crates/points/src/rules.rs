//! Which step may follow which: one table. A point is a walk through it; editors ask it what may come next.
//!
//! A row is a *place*, that is, what a walk has arrived at. It says whether a point may end there and which steps
//! lead on to which place. Nothing else in the crate decides what a valid point is.

use crate::step::{Form, Side, Step};

/// What a walk has arrived at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Request,
    Response,
    /// A fact of the exchange that holds no further format: method, status, address.
    Fact,
    /// Text that may hold another format.
    Text,
    /// Text that may occur several times: a header, a cookie, a multipart part.
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
    XmlDocument,
    XmlElement,
    GraphqlDocument,
    GraphqlFragments,
    GraphqlSelection,
    GraphqlDirectives,
    /// A step without its name: `all` or `names` must follow.
    EveryText,
    /// The same over trees.
    EveryValue,
    /// Many texts at once.
    SeveralTexts,
    /// Many values at once.
    SeveralValues,
}

/// One row: the place, whether a point may end there, and the steps that lead on.
struct Row {
    place: Place,
    may_end: bool,
    next: &'static [&'static [(Form, Place)]],
}

const fn row(place: Place, may_end: bool, next: &'static [&'static [(Form, Place)]]) -> Row {
    Row { place, may_end, next }
}

type Group = &'static [(Form, Place)];

const REQUEST_ONLY: Group = &[
    (Form::Method, Place::Fact),
    (Form::Scheme, Place::Fact),
    (Form::Proto, Place::Fact),
    (Form::Host, Place::Fact),
    (Form::Uri, Place::Text),
    (Form::Path, Place::Text),
    (Form::Paths, Place::EveryText),
    (Form::ActionName, Place::Text),
    (Form::ActionExt, Place::Text),
    (Form::Query, Place::Field),
    (Form::Queries, Place::EveryValue),
    (Form::RemoteAddr, Place::Fact),
    (Form::Ja3, Place::Fact),
    (Form::Ja4, Place::Fact),
];
const RESPONSE_ONLY: Group = &[(Form::Status, Place::Fact)];
const MESSAGE: Group = &[(Form::Header, Place::Repeated), (Form::Headers, Place::EveryText), (Form::Body, Place::Body)];
const BODY_ONLY: Group =
    &[(Form::Multipart, Place::Repeated), (Form::Multiparts, Place::EveryText), (Form::Grpc, Place::Value)];
const COOKIES: Group = &[(Form::Cookie, Place::Repeated), (Form::Cookies, Place::EveryText)];
const PARSERS: Group = &[
    (Form::Json, Place::Value),
    (Form::Xml, Place::XmlDocument),
    (Form::Form, Place::Fields),
    // `jwt header` and `jwt payload` arrive decoded: see `place_after`.
    (Form::Jwt, Place::Text),
    (Form::Jwts, Place::EveryText),
    (Form::Graphql, Place::GraphqlDocument),
    (Form::Protobuf, Place::Value),
    (Form::Viewstate, Place::Value),
    (Form::Base64, Place::Text),
    (Form::Gzip, Place::Text),
    (Form::Percent, Place::Text),
    (Form::Htmljs, Place::Text),
];
const JOINED: Group = &[(Form::Joined, Place::Text)];
const BEARER: Group = &[(Form::Bearer, Place::Text)];
const TIDY: Group = &[(Form::Trim, Place::Text), (Form::Lower, Place::Text), (Form::Capture, Place::Text)];
const FACT_TIDY: Group = &[(Form::Trim, Place::Fact), (Form::Lower, Place::Fact), (Form::Capture, Place::Fact)];
const PROPERTY: Group = &[(Form::Property, Place::Value), (Form::Properties, Place::EveryValue)];
const INDEX: Group = &[(Form::Index, Place::Value), (Form::Indexes, Place::EveryValue)];
const EVERY_VALUE: Group = &[(Form::All, Place::SeveralValues), (Form::Names, Place::SeveralTexts)];

const TABLE: &[Row] = &[
    row(Place::Request, false, &[REQUEST_ONLY, MESSAGE]),
    row(Place::Response, false, &[RESPONSE_ONLY, MESSAGE]),
    row(Place::Fact, true, &[FACT_TIDY]),
    row(Place::Text, true, &[PARSERS, BEARER, TIDY]),
    row(Place::Repeated, true, &[JOINED, PARSERS, BEARER, TIDY]),
    row(Place::CookieHeader, true, &[COOKIES, JOINED, PARSERS, BEARER, TIDY]),
    row(Place::SetCookieHeader, true, &[COOKIES, JOINED, PARSERS, BEARER, TIDY]),
    row(Place::Body, true, &[BODY_ONLY, PARSERS, TIDY]),
    row(Place::Fields, false, &[&[(Form::Property, Place::Field)], EVERY_VALUE]),
    row(
        Place::Field,
        true,
        &[
            &[
                (Form::Property, Place::Field),
                (Form::Properties, Place::EveryValue),
                (Form::Index, Place::Field),
                (Form::Indexes, Place::EveryValue),
            ],
            JOINED,
            PARSERS,
            BEARER,
            TIDY,
        ],
    ),
    row(Place::Claims, false, &[PROPERTY]),
    row(Place::Value, true, &[PROPERTY, INDEX, PARSERS, BEARER, TIDY]),
    row(Place::XmlDocument, false, &[&[(Form::Property, Place::XmlElement), (Form::Properties, Place::EveryValue)]]),
    row(
        Place::XmlElement,
        true,
        &[
            &[
                (Form::Property, Place::XmlElement),
                (Form::Properties, Place::EveryValue),
                (Form::Index, Place::XmlElement),
                (Form::Indexes, Place::EveryValue),
                (Form::Attribute, Place::Text),
            ],
            JOINED,
            PARSERS,
            BEARER,
            TIDY,
        ],
    ),
    row(
        Place::GraphqlDocument,
        false,
        &[&[
            (Form::Query, Place::GraphqlSelection),
            (Form::Mutation, Place::GraphqlSelection),
            (Form::Subscription, Place::GraphqlSelection),
            (Form::Fragment, Place::GraphqlFragments),
            (Form::Variable, Place::Value),
        ]],
    ),
    row(Place::GraphqlFragments, false, &[&[(Form::Property, Place::GraphqlSelection)]]),
    row(
        Place::GraphqlSelection,
        false,
        &[&[
            (Form::Field, Place::GraphqlSelection),
            (Form::Inline, Place::GraphqlSelection),
            (Form::Argument, Place::Value),
            (Form::Variable, Place::Value),
            (Form::Directive, Place::GraphqlDirectives),
            (Form::Alias, Place::Text),
            (Form::Spread, Place::Text),
            (Form::Type, Place::Text),
        ]],
    ),
    row(Place::GraphqlDirectives, false, &[&[(Form::Property, Place::GraphqlSelection)]]),
    row(Place::EveryText, false, &[&[(Form::All, Place::SeveralTexts), (Form::Names, Place::SeveralTexts)]]),
    row(Place::EveryValue, false, &[EVERY_VALUE]),
    row(Place::SeveralTexts, true, &[JOINED, PARSERS, BEARER, TIDY]),
    row(Place::SeveralValues, true, &[PROPERTY, INDEX, JOINED, PARSERS, BEARER, TIDY]),
];

impl Place {
    pub(crate) const fn start(side: Side) -> Self {
        match side {
            Side::Request => Self::Request,
            Side::Response => Self::Response,
        }
    }

    fn row(self) -> Option<&'static Row> {
        TABLE.iter().find(|row| row.place == self)
    }

    /// Whether a point may end here.
    pub(crate) fn may_end(self) -> bool {
        self.row().is_some_and(|row| row.may_end)
    }

    /// The steps that may stand next.
    pub(crate) fn next(self) -> impl Iterator<Item = Form> {
        self.row().into_iter().flat_map(|row| row.next.iter().copied().flatten()).map(|(form, _)| *form)
    }

    /// Where a step leads; `None` when it may not stand here. Three names lead elsewhere than their step does.
    pub(crate) fn after(self, step: &Step) -> Option<Self> {
        let form = step.form();
        let (_, place) = self.row()?.next.iter().copied().flatten().find(|(candidate, _)| *candidate == form)?;
        Some(match (self, step) {
            (Self::Request, Step::Header(name)) if name.as_str() == "COOKIE" => Self::CookieHeader,
            (Self::Response, Step::Header(name)) if name.as_str() == "SET-COOKIE" => Self::SetCookieHeader,
            (_, Step::Jwt(crate::JwtPart::Header | crate::JwtPart::Payload)) => Self::Claims,
            _ => *place,
        })
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
            for (form, place) in row.next.iter().copied().flatten() {
                assert!(place.row().is_some(), "{place:?}");
                reachable.push(*form);
            }
        }
        for form in Form::ALL {
            assert!(reachable.contains(form), "{form:?}");
        }
    }

    #[test]
    fn a_row_names_each_step_once() {
        for row in TABLE {
            let forms: Vec<Form> = row.place.next().collect();
            for form in &forms {
                assert_eq!(forms.iter().filter(|other| *other == form).count(), 1, "{:?} {form:?}", row.place);
            }
        }
    }
}
