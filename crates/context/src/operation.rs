//! The operation of an exchange as it may leave the node, and what it adds to the endpoint.

use threadline_points::{Operation, Protocol, Spoken};

use crate::endpoint;
use crate::secrets::{Secrets, looks_like_credential};
use crate::text::Text;

/// The operation's text. Names that are secrets, or look like one, are left out.
pub(crate) fn text(spoken: &Spoken, path: &Text<'_>, secrets: &Secrets<'_>) -> Option<String> {
    if spoken.protocol == Protocol::Grpc {
        // Service and method are the path.
        let operation = path.as_str().strip_prefix('/')?;
        return (!path.is_hashed() && operation.contains('/')).then(|| operation.to_owned());
    }
    let operation = spoken.operation.as_ref()?;
    let mut text = String::new();
    append(operation, secrets, &mut text, |name, text| text.push_str(name));
    if !text.is_empty() && operation.further > 0 {
        text.push_str(&format!(" +{}", operation.further));
    }
    (!text.is_empty()).then_some(text)
}

/// Adds the operation to the endpoint where many of them share a path. What is variable in a name becomes a placeholder,
/// as in a path.
pub(crate) fn append_to_endpoint(spoken: &Spoken, secrets: &Secrets<'_>, endpoint: &mut String) {
    if let (Protocol::Graphql | Protocol::Soap | Protocol::Mcp, Some(operation)) = (spoken.protocol, &spoken.operation)
    {
        let mut text = String::new();
        append(operation, secrets, &mut text, |name, text| endpoint::append_segment(name.as_bytes(), text));
        if !text.is_empty() {
            endpoint.push(' ');
            endpoint.push_str(&text);
        }
    }
}

fn append(operation: &Operation, secrets: &Secrets<'_>, text: &mut String, name: impl Fn(&str, &mut String)) {
    let shown = |name: &Option<String>| {
        let name = name.clone()?;
        let secret = secrets.covering(name.as_bytes()).is_some() || looks_like_credential(name.as_bytes());
        (!secret).then_some(name)
    };
    if let Some(kind) = shown(&operation.kind) {
        name(&kind, text);
    }
    if let Some(shown) = shown(&operation.name) {
        if !text.is_empty() {
            text.push(' ');
        }
        if operation.is_field {
            text.push_str("{ ");
        }
        name(&shown, text);
        if operation.is_field {
            text.push_str(" }");
        }
    }
}
