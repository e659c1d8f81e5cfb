//! What every column of the table is, in words for people who ask what leaves a node. The one list of them; it decides
//! nothing.

/// What a field belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FieldGroup {
    /// Who asked, and where.
    Place,
    /// The request line and what came of it.
    Request,
    /// Times, sizes and identities.
    Amounts,
    /// Context parameters.
    Parameters,
    /// The session and why.
    Session,
    /// What the analysis itself says.
    Analysis,
}

impl FieldGroup {
    /// The word in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Place => "place",
            Self::Request => "request",
            Self::Amounts => "amounts",
            Self::Parameters => "parameters",
            Self::Session => "session",
            Self::Analysis => "analysis",
        }
    }
}

/// Why a field leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldOrigin {
    /// Of every exchange that has it.
    Always,
    /// A parameter selects it.
    Parameter,
    /// It says which session an exchange belongs to.
    Session,
}

impl FieldOrigin {
    /// The word in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::Parameter => "parameter",
            Self::Session => "session",
        }
    }
}

/// A column in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ColumnWords {
    /// The column.
    pub name: &'static str,
    /// What it is, a sentence.
    pub about: &'static str,
    /// What it belongs to.
    pub group: FieldGroup,
    /// Why it leaves.
    pub origin: FieldOrigin,
    /// Whether nodes of this version write anything into it.
    pub is_filled: bool,
}

const fn words(name: &'static str, group: FieldGroup, about: &'static str) -> ColumnWords {
    let origin = match group {
        Session => FieldOrigin::Session,
        Parameters => FieldOrigin::Parameter,
        _ => FieldOrigin::Always,
    };
    ColumnWords { name, about, group, origin, is_filled: true }
}

const fn reserved(name: &'static str, group: FieldGroup, about: &'static str) -> ColumnWords {
    ColumnWords { is_filled: false, ..words(name, group, about) }
}

use FieldGroup::{Amounts, Analysis, Parameters, Place, Request, Session};

/// Every column of the current version of the schema, in the order of the schema.
#[rustfmt::skip]
pub const COLUMN_WORDS: &[ColumnWords] = &[
    words("ts", Amounts, "When the request started."),
    words("exchange_id", Amounts, "An identity that the node gives the exchange; it holds nothing of it."),
    words("node", Place, "The name of the node."),
    words("source", Place, "How the node came by the exchange: `proxy`, or the format of a file."),
    words("policy_version", Analysis, "The version of the policy that decided what leaves."),
    words("application", Place, "The ID of the application, by the policy's list."),
    words("host", Place, "The host of the request, with its port."),
    words("scheme", Request, "`http` or `https`."),
    words("proto", Request, "The version of HTTP."),
    words("method", Request, "The method of the request."),
    words("path", Request, "The path, without the query; secrets and tokens in it are hashed or cut."),
    words("query", Request, "The names of the query's fields; a value only where a parameter selects it."),
    words("endpoint", Request, "Method, host and path with what is variable left out."),
    words("protocol", Request, "What the exchange speaks: `rest`, `graphql`, `soap` …"),
    words("operation", Request, "The name of the operation within the protocol, of GraphQL for example."),
    words("status", Request, "The status code of the response."),
    words("outcome", Request, "How the exchange ended."),
    words("duration_us", Amounts, "How long the exchange took."),
    words("upstream_us", Amounts, "How long the upstream took to answer."),
    words("request_bytes", Amounts, "Size of the request's body; not the body."),
    words("response_bytes", Amounts, "Size of the response's body; not the body."),
    words("client_ip", Place, "The client's address."),
    words("user_agent", Place, "The User-Agent header of the request."),
    words("ja3", Place, "A fingerprint of the client's TLS connection, where the source knows it."),
    words("ja4", Place, "A fingerprint of the client's TLS connection, where the source knows it."),
    reserved("country", Place, "Where the client's address is; nodes of this version leave it empty."),
    reserved("source_tag", Place, "A label of the client's network; nodes of this version leave it empty."),
    words("session_id", Session, "The session: a keyed hash of the value that decided."),
    words("session_key", Session, "The name of the key that decided."),
    words("session_key_kind", Session, "Whether a key of the policy, a built-in rule or a fallback decided."),
    words("session_value", Session, "The value that decided the session."),
    words("session_value_hashed", Session, "Whether the deciding value leaves hashed."),
    words("session_value_origin", Session, "Whether the API issued the deciding value itself."),
    words("session_trace", Session, "A letter for each grouping key: what became of it."),
    words("session_uncertain", Session, "Whether a key may have been missed."),
    words("request_session_id", Session, "The session of the request alone, where it is another one: a login, for example."),
    words("request_session_key_kind", Session, "What kind of key decided the session of the request alone."),
    words("trace_id", Amounts, "The trace-id of the `traceparent` header."),
    words("user", Parameters, "The value of a parameter of type User."),
    words("user_hashed", Parameters, "Whether the user leaves hashed."),
    words("role", Parameters, "The value of a parameter of type Role."),
    words("role_hashed", Parameters, "Whether the role leaves hashed."),
    words("params", Parameters, "A context parameter of the policy."),
    reserved("attacks", Analysis, "Attacks that were found; nodes of this version look for none."),
    words("action", Analysis, "What the node did with the request; this version forwards everything."),
    reserved("action_reason", Analysis, "Why the node did that; nodes of this version leave it empty."),
    reserved("flows", Analysis, "Business flows; nodes of this version leave it empty."),
    words("parse_errors", Analysis, "Where a parser stopped and why, in fixed words; nothing of the text."),
    words("shed", Analysis, "How many exchanges the row stands for beside its own; always 0 in this version."),
];

/// Of captured exchanges, what no policy lets leave a node. Sentences.
pub const NEVER_LEAVES: &[&str] = &[
    "Bodies of requests and responses; of them only values that a parameter selects.",
    "Values of headers but Host, User-Agent and the trace-id; of others only values that a parameter selects.",
    "Values of the query that no parameter selects.",
    "Session cookies, tokens and passwords in the places that the built-in set knows: they leave as keyed hashes, unless \
     a parameter that is not hashed selects one.",
    "What a mask covers, also where it stands again in the path, the host or another value of the exchange.",
    "The secret that values are hashed with.",
    "Anything of exchanges that the policy leaves out of the analysis.",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_has_a_sentence_in_the_order_of_the_schema() {
        let schema = crate::schema();
        let columns: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        let described: Vec<&str> = COLUMN_WORDS.iter().map(|column| column.name).collect();
        assert_eq!(described, columns);
        for sentence in COLUMN_WORDS.iter().map(|column| column.about).chain(NEVER_LEAVES.iter().copied()) {
            assert!(sentence.ends_with(['.', '…']) && sentence.len() > 15, "{sentence}");
        }
    }
}
