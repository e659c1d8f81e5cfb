//! A policy in a YAML (or JSON) file of its own: read within bounds and judged, all mistakes at once, each with its field
//! and where that stands in the file. The rules are the policy crate's. The file is never written.

use std::collections::BTreeSet;
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_json::Value;
use threadline_model::escape_for_display;
use threadline_policy::{ApplicationDocument, MaskDocument, ParameterDocument, Policy, PolicyDocument, ScopeDocument};

use crate::configuration::line_of;

/// A file may hold at most this many bytes, as many as the hub takes.
const MAXIMUM_BYTES: u64 = 1 << 20;
/// Mistakes that are shown; the rest is counted.
const SHOWN: usize = 100;
/// Characters of one mistake that are shown.
const SHOWN_CHARACTERS: usize = 500;

/// One field that cannot be accepted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// As in `parameters[3].point`.
    pub(crate) field: String,
    /// Where it stands, from 1, if that is known.
    pub(crate) line: Option<usize>,
    reason: String,
}

/// Why a file is no policy.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PolicyFileError {
    #[error("cannot read {}", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("{} is larger than 1 MiB; a policy is not", path.display())]
    TooLarge { path: PathBuf },
    #[error("{} is not UTF-8 text", path.display())]
    NotText { path: PathBuf },
    #[error("{}: {}", path.display(), escape_lines(message))]
    Malformed { path: PathBuf, line: Option<u64>, message: String },
    #[error("{}: the policy cannot be used:{}", path.display(), Listed(mistakes))]
    Invalid { path: PathBuf, mistakes: Vec<Mistake> },
}

impl PolicyFileError {
    /// What is wrong, without anything that stands in the file but names of fields: for logs and for other people.
    pub(crate) fn without_values(&self) -> String {
        match self {
            Self::Read { source, .. } => format!("it cannot be read ({})", source.kind()),
            Self::TooLarge { .. } => "it is larger than 1 MiB".to_owned(),
            Self::NotText { .. } => "it is not UTF-8 text".to_owned(),
            Self::Malformed { line: Some(line), .. } => format!("line {line} is not YAML that a policy can stand in"),
            Self::Malformed { line: None, .. } => "it is not YAML that a policy can stand in".to_owned(),
            Self::Invalid { mistakes, .. } => {
                let place = |mistake: &Mistake| match mistake.line {
                    Some(line) => format!("{} (line {line})", escape_for_display(mistake.field.as_bytes(), 100)),
                    None => escape_for_display(mistake.field.as_bytes(), 100),
                };
                let places: Vec<String> = mistakes.iter().take(5).map(place).collect();
                let more = if mistakes.len() > places.len() { " …" } else { "" };
                let count = if mistakes.len() == 1 { "1 field" } else { &format!("{} fields", mistakes.len()) };
                format!("{count} cannot be accepted: {}{more}", places.join(", "))
            }
        }
    }
}

/// Mistakes, a line each.
struct Listed<'a>(&'a [Mistake]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Mistake { field, reason, line } in self.0.iter().take(SHOWN) {
            formatter.write_str("\n  ")?;
            if let Some(line) = line {
                write!(formatter, "line {line}: ")?;
            }
            let (field, reason) = (field.as_bytes(), reason.as_bytes());
            let (field, reason) = (escape_for_display(field, 200), escape_for_display(reason, SHOWN_CHARACTERS));
            write!(formatter, "{field}: {reason}")?;
        }
        match self.0.len().checked_sub(SHOWN) {
            Some(more) if more > 0 => write!(formatter, "\n  … and {more} more"),
            _ => Ok(()),
        }
    }
}

/// The YAML library shows the lines around a mistake; what stands in them may be hostile.
fn escape_lines(message: &str) -> String {
    let lines = message.lines().take(20).map(|line| escape_for_display(line.as_bytes(), SHOWN_CHARACTERS));
    lines.collect::<Vec<_>>().join("\n")
}

/// Reads a file's text; `-` is standard input.
pub(crate) fn read_text(path: &Path) -> Result<String, PolicyFileError> {
    let read_error = |source| PolicyFileError::Read { path: path.to_owned(), source };
    let source: Box<dyn Read> = match path.as_os_str() == "-" {
        true => Box::new(std::io::stdin().lock()),
        false => Box::new(std::fs::File::open(path).map_err(read_error)?),
    };
    let mut bytes = Vec::new();
    source.take(MAXIMUM_BYTES + 1).read_to_end(&mut bytes).map_err(read_error)?;
    if bytes.len() as u64 > MAXIMUM_BYTES {
        return Err(PolicyFileError::TooLarge { path: path.to_owned() });
    }
    String::from_utf8(bytes).map_err(|_| PolicyFileError::NotText { path: path.to_owned() })
}

/// Judges the text of a file; the document comes back with defaults written out.
pub(crate) fn judge(path: &Path, text: &str) -> Result<PolicyDocument, PolicyFileError> {
    let invalid = |mistakes| PolicyFileError::Invalid { path: path.to_owned(), mistakes };
    let document: PolicyDocument = match serde_saphyr::from_str(text) {
        Ok(document) => document,
        Err(error) => {
            let mistakes = mistakes_of_shape(text);
            if !mistakes.is_empty() {
                return Err(invalid(mistakes));
            }
            let line = error.location().map(|location| location.line());
            return Err(PolicyFileError::Malformed { path: path.to_owned(), line, message: error.to_string() });
        }
    };
    let policy = Policy::validate(1, document).map_err(|errors| {
        invalid(errors.into_iter().map(|error| mistake(text, error.field, error.reason)).collect())
    })?;
    Ok(policy.document())
}

fn mistake(text: &str, field: String, reason: String) -> Mistake {
    Mistake { line: line_of(text, &field), field, reason }
}

/// The library stops at the first value that has no place or the wrong type. This looks at each part by itself, so that
/// all such are named at once. Empty when the text is no YAML at all.
fn mistakes_of_shape(text: &str) -> Vec<Mistake> {
    let Ok(value) = serde_saphyr::from_str::<Value>(text) else { return Vec::new() };
    let mut found = Vec::new();
    let mut refuse = |field: String, reason: String| found.push(mistake(text, field, reason));
    let Some(sections) = value.as_object() else {
        refuse("parameters".to_owned(), "is needed; `parameters: []` where there are none".to_owned());
        return found;
    };
    for (name, section) in sections {
        match name.as_str() {
            "applications" => list::<ApplicationDocument>(name, section, &mut refuse),
            "analysed" => part::<ScopeDocument>(name, section, &mut refuse),
            "masks" => list::<MaskDocument>(name, section, &mut refuse),
            "parameters" => list::<ParameterDocument>(name, section, &mut refuse),
            _ => refuse(
                name.clone(),
                "there is no such field; expected one of applications, analysed, masks, parameters".to_owned(),
            ),
        }
    }
    if !sections.contains_key("parameters") {
        refuse("parameters".to_owned(), "is needed; `parameters: []` where there are none".to_owned());
    }
    found
}

fn list<T: DeserializeOwned>(name: &str, section: &Value, refuse: &mut impl FnMut(String, String)) {
    let Some(items) = section.as_array() else { return refuse(name.to_owned(), "expected a list".to_owned()) };
    for (position, item) in items.iter().enumerate() {
        part::<T>(&format!("{name}[{position}]"), item, refuse);
    }
}

fn part<T: DeserializeOwned>(field: &str, value: &Value, refuse: &mut impl FnMut(String, String)) {
    let Value::Object(fields) = value else {
        return refuse(field.to_owned(), "expected fields with values".to_owned());
    };
    let mut fields = fields.clone();
    let read = |fields: &serde_json::Map<String, Value>| {
        serde_json::from_value::<T>(Value::Object(fields.clone())).err().map(|error| error.to_string())
    };
    let mut refused = BTreeSet::new();
    // Every round takes a field away or ends.
    while let Some(reason) = read(&fields) {
        if let Some(missing) = reason.strip_prefix("missing field `").and_then(|rest| rest.split('`').next()) {
            if !refused.contains(missing) {
                refuse(format!("{field}.{missing}"), "is needed".to_owned());
            }
            return;
        }
        // Without the field at fault something else is said, or nothing.
        let at_fault = fields.keys().find(|name| {
            let mut others = fields.clone();
            others.remove(*name);
            read(&others).as_ref() != Some(&reason)
        });
        let Some(name) = at_fault.cloned() else { return refuse(field.to_owned(), reason) };
        let inner = fields.remove(&name).unwrap_or_default();
        if name == "scope" && inner.is_object() {
            part::<ScopeDocument>(&format!("{field}.scope"), &inner, refuse);
        } else {
            refuse(format!("{field}.{name}"), reason);
        }
        refused.insert(name);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn mistakes(text: &str) -> Vec<(String, Option<usize>)> {
        match judge(Path::new("policy.yaml"), text).unwrap_err() {
            PolicyFileError::Invalid { mistakes, .. } => {
                mistakes.into_iter().map(|mistake| (mistake.field, mistake.line)).collect()
            }
            other => panic!("{other}"),
        }
    }

    #[test]
    fn every_mistake_of_shape_is_named_with_its_line() {
        let text = "masks:\n- point: request > query pin\n  scope:\n    host: [a]\nparameters:\n- name: a\n  \
                    point: request > method\n  groupp: true\n  hashed: perhaps\n- point: request > method\nextra: 1\n";
        let mut found = mistakes(text);
        found.sort();
        let expected = [
            ("extra", 11),
            ("masks[0].scope.host", 4),
            ("parameters[0].groupp", 8),
            ("parameters[0].hashed", 9),
            ("parameters[1].name", 10),
        ];
        assert_eq!(found, expected.map(|(field, line)| (field.to_owned(), Some(line))));
    }

    #[test]
    fn what_is_no_policy_at_all_says_so() {
        for text in ["", "# nothing\n", "[]", "parameters:\n", "masks: []\n"] {
            assert_eq!(mistakes(text)[0].0, "parameters", "{text:?}");
        }
        for text in ["parameters: [", "a: b: c", "parameters: []\nparameters: []\n"] {
            let error = judge(Path::new("policy.yaml"), text).unwrap_err();
            assert!(matches!(error, PolicyFileError::Malformed { line: Some(_), .. }), "{text:?}: {error:?}");
        }
    }

    #[test]
    fn a_log_sees_fields_and_no_values() {
        let text = "parameters:\n- name: hunter2\n  point: request > hunter2\n  type: hunter2\n";
        let error = judge(Path::new("policy.yaml"), text).unwrap_err();
        assert!(!error.without_values().contains("hunter2"), "{}", error.without_values());
        assert!(error.without_values().contains("parameters[0].type (line 4)"), "{}", error.without_values());
    }
}
