//! The parameters that say which exchanges count: documented once, parsed once, used by every list, statistic and
//! download.
//!
//! Every refusal names the parameter. A parameter that a route does not have is refused by name instead of being
//! ignored: a misspelt filter must never widen what is shown.

use std::collections::BTreeMap;

use serde::Serialize;
use threadline_model::Network;
use threadline_store::{Choice, FacetField, Filters, StatusFilter};
use utoipa::{IntoParams, ToSchema};

use super::query::QueryParameters;

/// Filters of every list and statistic. Different parameters combine with AND, several values of one with OR. A
/// leading `!` negates a value (`host=!cdn.shop.io`); a leading `\` takes the rest literally (`user=\!bang`).
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "describes the parameters in the OpenAPI document; a test holds it against the parser")]
pub(crate) struct FilterParameters {
    /// First moment of the range, RFC 3339. Without `to`, the range ends now.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<String>,
    /// End of the range (the first moment outside), RFC 3339.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<String>,
    /// Instead of `from` and `to`: the range that ends now, as in `15m`, `1h`, `24h`, `7d`, or `all` for everything
    /// that is stored. Lists default to `24h`, questions about one session (or with the filter `session`) to `all`.
    #[param(example = "24h")]
    last: Option<String>,
    /// Application ID.
    application: Option<Vec<String>>,
    /// Host.
    host: Option<Vec<String>>,
    /// Client address or network in CIDR notation.
    #[param(example = "10.0.0.0/8")]
    ip: Option<Vec<String>>,
    /// Request method.
    method: Option<Vec<String>>,
    /// Status code, class (`4xx`), or `none` for exchanges without a response.
    #[param(example = "4xx")]
    status: Option<Vec<String>>,
    /// User, as exported (a hashed user by its hash). In questions about sessions: sessions in which this user was seen
    /// within the range, with all their exchanges; within one session: exchanges that carry the user.
    user: Option<Vec<String>>,
    /// Role, as exported; holds as the user does.
    role: Option<Vec<String>>,
    /// Text that the endpoint or the path contains.
    endpoint: Option<Vec<String>>,
    /// Session ID.
    session: Option<Vec<String>>,
    /// Exchange ID.
    request: Option<Vec<String>>,
    /// Name of the key that decided.
    key: Option<Vec<String>>,
    /// Kind of the key that decided: `configured`, `builtin` or `fallback`.
    key_kind: Option<Vec<String>>,
    /// Value that decided, as exported (a hashed one by its hash).
    value: Option<Vec<String>>,
    /// Exported parameter by name and value, `name:value`: exchanges in which it has this value (a hashed one by its
    /// hash). Different names combine with AND, several values of one with OR. The name ends at the first colon; in the name a `\` takes the next character literally.
    #[param(example = "card:4f6c0de2a51b98377c0de2a51b98374f")]
    parameter: Option<Vec<String>>,
    /// How the exchange ended: `completed`, `client_aborted`, `upstream_failed`, `refused` or `upgraded`.
    outcome: Option<Vec<String>>,
    /// Free text: a session ID, a trace ID, a client address, or text that user, host, path, endpoint, user agent or
    /// the deciding value contains.
    #[param(max_length = 200)]
    q: Option<String>,
}

const KEY_KINDS: &[&str] = &["configured", "builtin", "fallback"];
const OUTCOMES: &[&str] = &["completed", "client_aborted", "upstream_failed", "refused", "upgraded"];

/// A value of a filter may be at most this long, in bytes.
const MAXIMUM_VALUE_BYTES: usize = 1_024;
/// All filters together may have at most this many values.
const MAXIMUM_VALUES: usize = 200;

/// A field whose values can be counted; named as the filter that takes its values. `user_agent` has no filter of its
/// own: `q` searches it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it")]
pub(crate) enum FacetName {
    Application,
    Host,
    Ip,
    Method,
    Status,
    User,
    Role,
    Endpoint,
    Key,
    UserAgent,
    Outcome,
}

/// Every facet with its name.
pub(crate) const FACETS: &[(&str, FacetField)] = &[
    ("application", FacetField::Application),
    ("host", FacetField::Host),
    ("ip", FacetField::Ip),
    ("method", FacetField::Method),
    ("status", FacetField::Status),
    ("user", FacetField::User),
    ("role", FacetField::Role),
    ("endpoint", FacetField::Endpoint),
    ("key", FacetField::Key),
    ("user_agent", FacetField::UserAgent),
    ("outcome", FacetField::Outcome),
];

impl From<FacetField> for FacetName {
    fn from(field: FacetField) -> Self {
        match field {
            FacetField::Application => Self::Application,
            FacetField::Host => Self::Host,
            FacetField::Ip => Self::Ip,
            FacetField::Method => Self::Method,
            FacetField::Status => Self::Status,
            FacetField::User => Self::User,
            FacetField::Role => Self::Role,
            FacetField::Endpoint => Self::Endpoint,
            FacetField::Key => Self::Key,
            FacetField::UserAgent => Self::UserAgent,
            FacetField::Outcome => Self::Outcome,
        }
    }
}

/// Takes every filter parameter out of `query`; what cannot be accepted is noted there.
pub(crate) fn take_filters(query: &mut QueryParameters) -> Filters {
    let filters = Filters {
        application: choice(query, "application", text),
        host: choice(query, "host", |value| text(value).map(|host| host.to_ascii_lowercase())),
        ip: choice(query, "ip", |text: &str| text.parse::<Network>().map_err(|reason| reason.to_string())),
        method: choice(query, "method", method),
        status: choice(query, "status", status),
        user: choice(query, "user", text),
        role: choice(query, "role", text),
        endpoint: choice(query, "endpoint", text),
        session: choice(query, "session", |value| {
            value.parse().map_err(|_| "expected a session ID: 32 hexadecimal digits".into())
        }),
        exchange: choice(query, "request", |value| value.parse().map_err(|_| "expected a request ID: a UUID".into())),
        key: choice(query, "key", text),
        key_kind: choice(query, "key_kind", |value| one_of(value, KEY_KINDS)),
        value: choice(query, "value", text),
        parameters: by_name(choice(query, "parameter", parameter)),
        outcome: choice(query, "outcome", |value| one_of(value, OUTCOMES)),
        search: query.take_one("q"),
    };
    if let Some(search) = &filters.search
        && search.chars().count() > 200
    {
        query.refuse("q", "may have at most 200 characters");
    }
    let search = filters.search.filter(|search| !search.trim().is_empty());
    Filters { search, ..filters }
}

fn choice<T>(query: &mut QueryParameters, name: &'static str, parse: impl Fn(&str) -> Result<T, String>) -> Choice<T> {
    let mut choice = Choice::default();
    let values = query.take_all(name);
    if values.len() > MAXIMUM_VALUES {
        query.refuse(name, format!("may have at most {MAXIMUM_VALUES} values"));
        return choice;
    }
    for value in values {
        let (negated, value) = match value.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, value.as_str()),
        };
        let value = value.strip_prefix('\\').unwrap_or(value);
        if value.len() > MAXIMUM_VALUE_BYTES {
            query.refuse(name, format!("a value may have at most {MAXIMUM_VALUE_BYTES} bytes"));
            continue;
        }
        match parse(value) {
            Ok(value) if negated => choice.not.push(value),
            Ok(value) => choice.any.push(value),
            Err(reason) => query.refuse(name, reason),
        }
    }
    choice
}

fn text(value: &str) -> Result<String, String> {
    if value.is_empty() { Err("a value must not be empty".into()) } else { Ok(value.to_owned()) }
}

/// Different parameters combine with AND as other filters do, several values of one with OR.
fn by_name(Choice { any, not }: Choice<(String, String)>) -> BTreeMap<String, Choice<String>> {
    let mut parameters: BTreeMap<String, Choice<String>> = BTreeMap::new();
    for (name, value) in any {
        parameters.entry(name).or_default().any.push(value);
    }
    for (name, value) in not {
        parameters.entry(name).or_default().not.push(value);
    }
    parameters
}

/// `name:value`. A colon or backslash of the name has a backslash before it; the value is taken as it is.
fn parameter(text: &str) -> Result<(String, String), String> {
    let mut name = String::new();
    let mut characters = text.chars();
    loop {
        match characters.next() {
            Some(':') if !name.is_empty() => break,
            Some('\\') => name.extend(characters.next()),
            Some(character) if character != ':' => name.push(character),
            _ => return Err("expected a name, a colon and a value, as in plan:gold".into()),
        }
    }
    Ok((name, characters.as_str().to_owned()))
}

fn one_of(value: &str, known: &[&str]) -> Result<String, String> {
    if known.contains(&value) { Ok(value.to_owned()) } else { Err(format!("expected one of {}", known.join(", "))) }
}

/// A method is a token (RFC 9110, 9.1) and is compared with regard to case.
fn method(value: &str) -> Result<String, String> {
    http::Method::from_bytes(value.as_bytes())
        .map(|method| method.as_str().to_owned())
        .map_err(|_| "expected a method such as GET".into())
}

fn status(value: &str) -> Result<StatusFilter, String> {
    const EXPECTED: &str = "expected a status code such as 404, a class such as 4xx, or none";
    match value.as_bytes() {
        b"none" => Ok(StatusFilter::None),
        [class @ b'1'..=b'9', b'x' | b'X', b'x' | b'X'] => Ok(StatusFilter::Class(class - b'0')),
        [b'1'..=b'9', b'0'..=b'9', b'0'..=b'9'] => value.parse().map(StatusFilter::Exact).map_err(|_| EXPECTED.into()),
        _ => Err(EXPECTED.into()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn parse(query: &str) -> Result<Filters, Vec<String>> {
        let mut parameters = QueryParameters::parse(Some(query)).map_err(|_| vec!["unreadable".to_owned()])?;
        let filters = take_filters(&mut parameters);
        match parameters.refused() {
            [] => Ok(filters),
            refused => Err(refused.iter().map(|problem| problem.field.clone()).collect()),
        }
    }

    #[test]
    fn values_of_one_parameter_are_alternatives_and_an_exclamation_mark_negates() {
        let filters =
            parse("host=A.io&host=!b.io&status=404&status=5xx&status=!none&user=%5C%21bang&user=!%5Cx").unwrap();
        assert_eq!(filters.host, Choice { any: vec!["a.io".into()], not: vec!["b.io".into()] });
        assert_eq!(
            filters.status,
            Choice { any: vec![StatusFilter::Exact(404), StatusFilter::Class(5)], not: vec![StatusFilter::None] }
        );
        assert_eq!(filters.user, Choice { any: vec!["!bang".into()], not: vec!["x".into()] });
    }

    #[test]
    fn networks_are_addresses_with_an_optional_prefix() {
        let filters = parse("ip=10.0.0.0/8&ip=!2001:db8::1").unwrap();
        assert_eq!(filters.ip.any, [Network { address: "10.0.0.0".parse().unwrap(), prefix: 8 }]);
        assert_eq!(filters.ip.not, [Network { address: "2001:db8::1".parse().unwrap(), prefix: 128 }]);
    }

    #[test]
    fn a_parameter_is_its_name_up_to_a_colon_and_its_value() {
        let filters = parse(
            "parameter=plan:gold:2&parameter=!a%5C:b%5C%5C:&parameter=%5C!x:%5Cy&parameter=plan:\
            &parameter=!plan:a&value=!v",
        )
        .unwrap();
        let choice = |any: &[&str], not: &[&str]| Choice {
            any: any.iter().map(|value| (*value).to_owned()).collect(),
            not: not.iter().map(|value| (*value).to_owned()).collect(),
        };
        let expected =
            [("!x", choice(&["\\y"], &[])), ("a:b\\", choice(&[], &[""])), ("plan", choice(&["gold:2", ""], &["a"]))];
        assert_eq!(filters.parameters, expected.map(|(name, choice)| (name.to_owned(), choice)).into());
        assert_eq!(filters.value.not, ["v"]);
    }

    #[test]
    fn what_cannot_be_accepted_is_refused_by_name() {
        for (query, field) in [
            ("ip=10.0.0.0/33", "ip"),
            ("ip=10.0.0.0/+8", "ip"),
            ("ip=10.0.0.0/", "ip"),
            ("ip=localhost", "ip"),
            ("status=4x", "status"),
            ("status=099", "status"),
            ("status=1000", "status"),
            ("session=12", "session"),
            ("request=12", "request"),
            ("method=G%20T", "method"),
            ("method=", "method"),
            ("key_kind=other", "key_kind"),
            ("outcome=fine", "outcome"),
            ("parameter=plan", "parameter"),
            ("parameter=:gold", "parameter"),
            ("parameter=plan%5C:gold", "parameter"),
            ("parameter=!", "parameter"),
            ("value=", "value"),
            ("host=", "host"),
            ("host=!", "host"),
            ("q=a&q=b", "q"),
        ] {
            assert_eq!(parse(query).unwrap_err(), [field], "{query}");
        }
        assert_eq!(parse(&format!("q={}", "x".repeat(201))).unwrap_err(), ["q"]);
        assert_eq!(parse(&format!("user={}", "x".repeat(1_025))).unwrap_err(), ["user"]);
    }
}
