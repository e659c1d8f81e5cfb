//! One validated context parameter.

use serde::{Deserialize, Serialize};
use threadline_points::Point;

use crate::Scope;

/// Whether a parameter's value names somebody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ParameterType {
    /// Neither.
    #[default]
    None,
    /// The value names the session's user. Several parameters may be of this type: the last one in the list that has
    /// a value in an exchange names that exchange's user.
    User,
    /// The value names the user's role; several as with [`ParameterType::User`].
    Role,
}

impl ParameterType {
    /// As written in a policy.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::User => "user",
            Self::Role => "role",
        }
    }
}

/// One context parameter of a valid policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Unique within the policy, 1 to 64 characters, none of them invisible.
    pub name: String,
    /// Where the value stands.
    pub point: Point,
    /// Further places whose values must all be there for the key to work, and that count with it.
    pub with: Vec<Point>,
    /// Whether the value names a user or a role.
    pub kind: ParameterType,
    /// Whether sessions are grouped by it. Keys are tried in the order of the list.
    pub group: bool,
    /// Whether the value leaves the node as a keyed hash only.
    pub hashed: bool,
    /// The namespace of a grouping key; `None` is the one that all keys share unless told otherwise.
    pub namespace: Option<String>,
    /// Where the parameter is looked for; elsewhere a key is skipped, not failed.
    pub scope: Scope,
    /// Added because a mitigation control needs it, rather than by a person; never a grouping key.
    pub hidden: bool,
}
