//! What a document type declares of attributes (XML 1.0, section 3.3): which are lists of tokens, and defaults.

use std::collections::BTreeMap;

/// The attribute lists of elements.
#[derive(Default)]
pub(super) struct AttributeLists {
    elements: BTreeMap<Box<str>, AttributeList>,
}

/// The declared attributes of an element. The first declaration of each holds.
#[derive(Default)]
pub(super) struct AttributeList {
    /// By name, whether the value is a list of tokens: whether its type is another than CDATA.
    types: BTreeMap<Box<str>, bool>,
    defaults: Vec<(Box<str>, Box<[u8]>)>,
}

impl AttributeLists {
    /// The list of an element, to be declared further.
    pub(super) fn declare(&mut self, element: &str) -> &mut AttributeList {
        self.elements.entry(element.into()).or_default()
    }

    /// The list of an element, if one is declared.
    #[inline]
    pub(super) fn of(&self, element: &str) -> Option<&AttributeList> {
        // Most documents declare none.
        if self.elements.is_empty() { None } else { self.elements.get(element) }
    }
}

impl AttributeList {
    pub(super) fn declare(&mut self, name: &str, has_tokens: bool, default: Option<Vec<u8>>) {
        if self.types.contains_key(name) {
            return;
        }
        self.types.insert(name.into(), has_tokens);
        if let Some(value) = default {
            self.defaults.push((name.into(), value.into()));
        }
    }

    /// Whether the value of an attribute is a list of tokens.
    pub(super) fn has_tokens(&self, name: &str) -> bool {
        self.types.get(name).copied().unwrap_or_default()
    }

    /// The attributes that stand for themselves where a tag leaves them out.
    pub(super) fn defaults(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.defaults.iter().map(|(name, value)| (&**name, &**value))
    }
}
