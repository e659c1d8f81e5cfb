//! Who is asking, and may they: roles, secrets, passwords, throttling, sign-in, and the guard in front of every
//! route.
//!
//! Clear secrets live only as long as a request needs them; what is kept are hashes. Nothing here formats a secret.

pub(crate) mod cookie;
pub(crate) mod first_run;
pub(crate) mod forwarded;
pub(crate) mod guard;
pub(crate) mod host;
pub(crate) mod local_token;
pub(crate) mod password;
pub(crate) mod secret;
pub(crate) mod sign_in;
pub(crate) mod throttle;

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use threadline_model::Timestamp;
use utoipa::ToSchema;

/// What somebody may do; the routes' table says what that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    /// Everything.
    Admin,
    /// Looks at sessions and judges them.
    Analyst,
    /// Looks at sessions.
    Viewer,
    /// A node: hands in batches and reads the policy. For API tokens only.
    Node,
}

impl Role {
    /// As written in the API and the state.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Analyst => "analyst",
            Self::Viewer => "viewer",
            Self::Node => "node",
        }
    }
}

/// A word that is none of those that the hub wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a known word")]
pub(crate) struct UnknownWord;

impl FromStr for Role {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        [Self::Admin, Self::Analyst, Self::Viewer, Self::Node]
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or(UnknownWord)
    }
}

/// How somebody is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum CallerKind {
    /// A person with a sign-in.
    Person,
    /// A program with an API token.
    Token,
    /// A command on the hub's own machine, with the token from the data folder.
    Local,
    /// The configuration file, at start.
    File,
}

impl CallerKind {
    /// As written in the audit log.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Token => "token",
            Self::Local => "local",
            Self::File => "file",
        }
    }
}

impl FromStr for CallerKind {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        [Self::Person, Self::Token, Self::Local, Self::File]
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or(UnknownWord)
    }
}

/// Somebody who is allowed in.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// How they are known.
    pub(crate) kind: CallerKind,
    /// The person; none for programs.
    pub(crate) person: Option<i64>,
    /// Name of the person or token.
    pub(crate) name: String,
    /// What they may do.
    pub(crate) role: Role,
    /// When the sign-in or token ends.
    pub(crate) expires_at: Option<Timestamp>,
    /// From where they ask; none for the configuration file.
    pub(crate) address: Option<ClientAddress>,
}

/// The address at the other end of the connection, or the one that a trusted proxy there asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClientAddress(pub(crate) IpAddr);

impl fmt::Display for ClientAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.to_canonical().fmt(formatter)
    }
}
