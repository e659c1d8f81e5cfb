//! Operations of the Model Context Protocol: a method of JSON-RPC 2.0 and the tool, prompt or resource it is about.

use threadline_model::Exchange;

use super::{Operation, name, plan};
use crate::{Bounds, Extracted, Plan, PlanError, Scratch};

/// Where a message may stand: the first of a batch comes before one that stands alone.
const PLACES: [&str; 2] = ["request > body > json > index 0", "request > body > json"];

/// What is asked of each.
const PROPERTIES: [&str; 4] =
    ["property jsonrpc", "property method", "property params > property name", "property params > property uri"];

/// After them the elements of a batch.
const ELEMENTS: usize = PLACES.len() * PROPERTIES.len();

pub(super) fn points() -> Vec<String> {
    let asked = PLACES.into_iter().flat_map(|place| PROPERTIES.map(|property| format!("{place} > {property}")));
    asked.chain(["request > body > json > index > names".to_owned()]).collect()
}

pub(super) struct Mcp {
    plan: Plan,
}

impl Mcp {
    pub(super) fn new(bounds: Bounds) -> Result<Self, PlanError> {
        Ok(Self { plan: plan(&points(), bounds)? })
    }

    /// Of an exchange whose head says that it is MCP.
    pub(super) fn read(&self, exchange: &Exchange, scratch: &mut Scratch) -> Option<Operation> {
        let extracted = self.plan.extract(exchange, scratch);
        let operation = (0..PLACES.len()).find_map(|place| at(&extracted, place * PROPERTIES.len()))?;
        Some(Operation { further: extracted.values(ELEMENTS).count().saturating_sub(1), ..operation })
    }

    /// Of an exchange whose head does not say so: the method must be one of the protocol.
    pub(super) fn read_beginning(&self, exchange: &Exchange, scratch: &mut Scratch) -> Option<Operation> {
        self.read(exchange, scratch).filter(|operation| operation.kind.as_deref().is_some_and(is_method))
    }
}

/// The message whose points begin at `first`.
fn at(extracted: &Extracted<'_>, first: usize) -> Option<Operation> {
    let value = |property: usize| extracted.get(first + property).value();
    if value(0) != Some(b"2.0") {
        return None;
    }
    let method = name(value(1)?, |byte| byte.is_ascii_alphanumeric() || b"_./-$".contains(byte))?;
    let primitive = match &*method {
        "tools/call" | "prompts/get" => {
            value(2).and_then(|text| name(text, |byte| byte.is_ascii_alphanumeric() || b"_./-".contains(byte)))
        }
        "resources/read" | "resources/subscribe" | "resources/unsubscribe" => value(3).and_then(scheme),
        _ => None,
    };
    Some(Operation { kind: Some(method), name: primitive, ..Operation::default() })
}

/// The scheme of a URI with its colon (RFC 3986, section 3.1): what follows may hold anything.
fn scheme(uri: &[u8]) -> Option<String> {
    let colon = memchr::memchr(b':', uri)?;
    if !uri.first()?.is_ascii_alphabetic() {
        return None;
    }
    let scheme = name(&uri[..colon], |byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte))?;
    Some(scheme.to_ascii_lowercase() + ":")
}

/// Whether a method is one that clients of MCP send.
fn is_method(method: &str) -> bool {
    let (area, action) = method.split_once('/').unwrap_or((method, ""));
    match area {
        "initialize" | "ping" => action.is_empty(),
        "tools" | "resources" | "prompts" | "completion" | "logging" | "tasks" | "notifications" => !action.is_empty(),
        _ => false,
    }
}
