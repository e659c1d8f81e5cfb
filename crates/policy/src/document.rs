//! The policy as it stands in a file, in the API and in a version's history: plain, complete, not yet judged.
//!
//! Nothing here is validated beyond its shape. Unknown fields are refused, so that a misspelt setting is never
//! silently ignored.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ParameterType;

/// The whole of what an operator configures for the nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyDocument {
    /// Named sets of hosts and paths; the first that matches is an exchange's application. Left out: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub applications: Vec<ApplicationDocument>,
    /// Which traffic is analysed; the rest passes and is not exported. Left out: all.
    #[serde(default, skip_serializing_if = "ScopeDocument::is_everything")]
    pub analysed: ScopeDocument,
    /// Whose word about the client counts. Left out: nobody's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trusted_proxies: Option<TrustedProxiesDocument>,
    /// Values that are cut before anything else looks at them. Left out: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub masks: Vec<MaskDocument>,
    /// Context parameters; their order is the order in which grouping keys are tried.
    pub parameters: Vec<ParameterDocument>,
}

/// One application as written by a person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplicationDocument {
    /// Unique: 1 to 64 small letters, digits, dots, hyphens or underscores.
    pub id: String,
    /// For people. Left out: the ID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Hosts: `api.shop.example`, `*.shop.example`, either with a port. Left out: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// Paths, each with everything below it: `/api`, `/users/*/orders`, `/**/admin`. Left out: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
}

/// Where something applies. Within a list one entry must match; all lists that are not empty must.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScopeDocument {
    /// IDs of applications; `default` is what belongs to none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub applications: Vec<String>,
    /// Hosts, as in an application.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// Paths, as in an application.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
    /// Methods: `POST`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<String>,
}

impl ScopeDocument {
    /// Whether it leaves every question open.
    pub fn is_everything(&self) -> bool {
        *self == Self::default()
    }
}

/// Whose word about the client counts, as written by a person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TrustedProxiesDocument {
    /// Networks (`10.0.0.0/8`) or single addresses of the proxies in front.
    pub networks: Vec<String>,
    /// Headers in which the client's address is looked for: `forwarded`, `x-forwarded-for`, `x-real-ip`. The first that is
    /// there decides. Left out: `x-forwarded-for`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Vec<String>>,
    /// Headers in which the original host is looked for: `forwarded`, `x-forwarded-host`. The first that is there
    /// decides. Left out: none, only `Host` counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub host: Vec<String>,
    /// Whether a connection from these networks may begin with the PROXY protocol, version 1 or 2. Default: no.
    #[serde(default, skip_serializing_if = "is_false")]
    pub proxy_protocol: bool,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

/// One mask as written by a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MaskDocument {
    /// The place whose value nobody may see.
    pub point: PointSpelling,
    /// Where the mask applies. Left out: everywhere.
    #[serde(default, skip_serializing_if = "ScopeDocument::is_everything")]
    pub scope: ScopeDocument,
}

/// One context parameter as written by a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ParameterDocument {
    /// Unique within the policy, 1 to 64 characters.
    pub name: String,
    /// Where the value stands in an exchange.
    pub point: PointSpelling,
    /// Further places whose values must all be there for the key to work, and that count with it: sessions are equal
    /// only if all values are. At most four; only for grouping keys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub with: Vec<PointSpelling>,
    /// Whether the value names a user or a role. Default: `none`.
    #[serde(rename = "type", default)]
    pub kind: ParameterType,
    /// Group sessions by this key. Default: no.
    #[serde(default)]
    pub group: bool,
    /// Export as hashed (secret). Left out: yes on places where credentials stand, else no.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hashed: Option<bool>,
    /// Values of grouping keys are only equal within one namespace. Left out: the one that all keys share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Where the parameter is looked for. Left out: everywhere. Elsewhere a key is skipped, not failed.
    #[serde(default, skip_serializing_if = "ScopeDocument::is_everything")]
    pub scope: ScopeDocument,
}

/// A point in its text spelling (`request > query token`) or its JSON spelling (`["request", ["query", "token"]]`),
/// not parsed yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum PointSpelling {
    /// The text spelling.
    Text(String),
    /// The JSON spelling, or something that is none; validation says which.
    #[schema(value_type = Vec<serde_json::Value>)]
    Json(serde_json::Value),
}

impl From<&str> for PointSpelling {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    #[test]
    fn left_out_fields_have_their_documented_defaults() {
        let document: PolicyDocument =
            serde_json::from_value(json!({"parameters": [{"name": "a", "point": "request > method"}]})).unwrap();
        let parameter = &document.parameters[0];
        assert_eq!(parameter.point, PointSpelling::Text("request > method".into()));
        assert_eq!((parameter.kind, parameter.group), (ParameterType::None, false));
        assert_eq!((parameter.hashed, parameter.namespace.as_deref()), (None, None));
    }

    #[test]
    fn unknown_fields_and_missing_lists_are_refused_by_name() {
        for (wrong, names) in [
            (json!({"parameters": [], "mask": []}), "mask"),
            (json!({"parameters": [], "masks": [{"point": "request > uri", "scope": {"host": []}}]}), "host"),
            (json!({}), "parameters"),
            (json!({"parameters": [{"name": "a", "point": "request > method", "secret": true}]}), "secret"),
            (json!({"parameters": [{"name": "a", "point": "request > method", "type": "tenant"}]}), "tenant"),
        ] {
            let error = serde_json::from_value::<PolicyDocument>(wrong).unwrap_err().to_string();
            assert!(error.contains(names), "{error}");
        }
    }
}
