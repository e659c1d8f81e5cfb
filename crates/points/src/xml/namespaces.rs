//! Which namespace a prefix stands for (Namespaces in XML 1.0). A prefix that is not declared stands for none; that is
//! no damage.

use std::collections::HashMap;

/// The declarations in force.
#[derive(Default)]
pub(super) struct Namespaces<'x> {
    uris: HashMap<&'x str, Vec<Vec<u8>>>,
}

impl<'x> Namespaces<'x> {
    /// The prefix that an attribute declares; empty for the default namespace.
    pub(super) fn declared(attribute: &str) -> Option<&str> {
        if attribute == "xmlns" { Some("") } else { attribute.strip_prefix("xmlns:") }
    }

    pub(super) fn declare(&mut self, prefix: &'x str, uri: Vec<u8>) {
        self.uris.entry(prefix).or_default().push(uri);
    }

    /// Takes back the last declaration of each prefix.
    pub(super) fn forget(&mut self, prefixes: &[&'x str]) {
        for prefix in prefixes {
            if let Some(uris) = self.uris.get_mut(prefix) {
                uris.pop();
            }
        }
    }

    pub(super) fn of(&self, prefix: &str) -> Option<&[u8]> {
        match prefix {
            "xml" => Some(b"http://www.w3.org/XML/1998/namespace"),
            "xmlns" => Some(b"http://www.w3.org/2000/xmlns/"),
            // An empty URI takes the default namespace away.
            _ => self.uris.get(prefix)?.last().map(Vec::as_slice).filter(|uri| !uri.is_empty()),
        }
    }
}
