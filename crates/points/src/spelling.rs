//! The spellings of a point: text, JSON and breadcrumb. They are read into the same plain list of words and
//! arguments; whether that list is a point is not decided here.

use std::fmt::Write as _;

use serde_json::Value;

use crate::error::PointError;
use crate::step::{ArgumentKind, Kind, Side, Step};

/// Longest text spelling, bytes.
pub(crate) const MAXIMUM_TEXT_BYTES: usize = 4096;
/// Longest breadcrumb: its separators are longer than those of the text.
const MAXIMUM_BREADCRUMB_BYTES: usize = MAXIMUM_TEXT_BYTES + 1024;
/// Most steps after `request` or `response`.
pub(crate) const MAXIMUM_STEPS: usize = 32;

const BREADCRUMB_SEPARATOR: char = '›';

/// A step as written, before it is known to be one.
pub(crate) struct WrittenStep {
    pub(crate) word: String,
    pub(crate) argument: Option<String>,
}

impl WrittenStep {
    fn bare(word: impl Into<String>) -> Self {
        Self { word: word.into(), argument: None }
    }

    /// For error messages.
    pub(crate) fn shown(&self) -> String {
        match &self.argument {
            Some(argument) => format!("{} {argument}", self.word),
            None => self.word.clone(),
        }
    }
}

fn too_long(bytes: usize, bound: usize) -> PointError {
    PointError::new(0, "…", format!("begins a point of {bytes} bytes; at most {bound} are allowed"))
}

fn too_many_steps() -> PointError {
    PointError::new(MAXIMUM_STEPS + 1, "…", format!("is one too many: a point has at most {MAXIMUM_STEPS} steps"))
}

// ---- names ---------------------------------------------------------------------------------------------------

/// Characters that would be invisible or change how their neighbours are shown.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Writes a name in double quotes with the escapes of JSON strings.
fn quote(name: &str) -> String {
    let mut quoted = String::with_capacity(name.len() + 2);
    quoted.push('"');
    for character in name.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            // All hidden characters lie in the basic plane, so four digits do.
            hidden if is_hidden(hidden) => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(hidden));
            }
            shown => quoted.push(shown),
        }
    }
    quoted.push('"');
    quoted
}

/// Splits a quoted name off the front of `text`, which starts with `"`. Gives the name and what follows it.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut escaped = false;
    for (position, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => {
                let (quoted, rest) = text.split_at(position + 1);
                return serde_json::from_str(quoted).ok().map(|name| (name, rest));
            }
            _ => {}
        }
    }
    None
}

const QUOTES: &str =
    "has a quoted name that is not closed or has a wrong escape; the escapes are those of JSON strings";

// ---- text ----------------------------------------------------------------------------------------------------

fn text_name(name: &str) -> String {
    let plain = !name.is_empty()
        && !name
            .chars()
            .any(|character| character.is_whitespace() || is_hidden(character) || matches!(character, '>' | '›' | '"'));
    if plain { name.to_owned() } else { quote(name) }
}

/// `request > body > json > property token`
pub(crate) fn to_text(side: Side, steps: &[Step]) -> String {
    let mut text = side.as_str().to_owned();
    for step in steps {
        text.push_str(" > ");
        text.push_str(step.word());
        if let Some(argument) = step.argument() {
            text.push(' ');
            text.push_str(&text_name(&argument));
        }
    }
    text
}

pub(crate) fn from_text(text: &str) -> Result<Vec<WrittenStep>, PointError> {
    if text.len() > MAXIMUM_TEXT_BYTES {
        return Err(too_long(text.len(), MAXIMUM_TEXT_BYTES));
    }
    let mut written = Vec::new();
    let mut rest = text;
    loop {
        if written.len() > MAXIMUM_STEPS {
            return Err(too_many_steps());
        }
        let (step, following) = text_step(written.len(), rest)?;
        written.push(step);
        match following {
            Some(following) => rest = following,
            None => return Ok(written),
        }
    }
}

/// Reads one step up to the next `>`; gives what follows that, or `None` at the end.
fn text_step(position: usize, text: &str) -> Result<(WrittenStep, Option<&str>), PointError> {
    let mut words: Vec<String> = Vec::with_capacity(2);
    let mut rest = text.trim_start();
    let following = loop {
        if rest.is_empty() {
            break None;
        }
        if let Some(following) = rest.strip_prefix('>') {
            break Some(following);
        }
        if rest.starts_with('"') {
            let fault = |reason: &str| PointError::new(position, rest, reason);
            if words.is_empty() {
                return Err(fault("starts with a quoted name; a step starts with its word"));
            }
            let (name, after) = unquote(rest).ok_or_else(|| fault(QUOTES))?;
            if !after.is_empty() && !after.starts_with('>') && !after.starts_with(char::is_whitespace) {
                return Err(fault("has text right after a quoted name"));
            }
            words.push(name);
            rest = after.trim_start();
            continue;
        }
        let end = rest.find(|character: char| character.is_whitespace() || character == '>').unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        if word.contains(['"', BREADCRUMB_SEPARATOR]) {
            return Err(PointError::new(position, word, "has a name with a quote or `›` in it; such names are quoted"));
        }
        words.push(word.to_owned());
        rest = after.trim_start();
    };
    let shown = words.join(" ");
    let mut words = words.into_iter();
    let (word, argument, more) = (words.next(), words.next(), words.next());
    let Some(word) = word else {
        return Err(PointError::new(position, "", "is empty; steps are separated by one `>`"));
    };
    if more.is_some() {
        return Err(PointError::new(position, &shown, "has more than one name; names with blanks are quoted"));
    }
    Ok((WrittenStep { word, argument }, following))
}

// ---- JSON ----------------------------------------------------------------------------------------------------

/// `["request","body","json",["property","token"]]`
pub(crate) fn to_json(side: Side, steps: &[Step]) -> Value {
    let spelled = steps.iter().map(|step| {
        let word = Value::from(step.word());
        match step {
            Step::Path(number) | Step::Index(number) => Value::Array(vec![word, Value::from(*number)]),
            other => match other.argument() {
                Some(argument) => Value::Array(vec![word, Value::from(argument)]),
                None => word,
            },
        }
    });
    std::iter::once(Value::from(side.as_str())).chain(spelled).collect()
}

pub(crate) fn from_json(value: &Value) -> Result<Vec<WrittenStep>, PointError> {
    let Value::Array(items) = value else {
        return Err(PointError::new(0, "…", "does not begin a point: its JSON spelling is an array of steps"));
    };
    if items.len() > MAXIMUM_STEPS + 1 {
        return Err(too_many_steps());
    }
    let written: Vec<WrittenStep> =
        items.iter().enumerate().map(|(position, item)| json_step(position, item)).collect::<Result<_, _>>()?;
    let bytes: usize = written.iter().map(|step| step.word.len() + step.argument.as_ref().map_or(0, String::len)).sum();
    if bytes > MAXIMUM_TEXT_BYTES {
        return Err(too_long(bytes, MAXIMUM_TEXT_BYTES));
    }
    Ok(written)
}

fn json_step(position: usize, item: &Value) -> Result<WrittenStep, PointError> {
    let wrong = || {
        let reason = "is not a step: a step is a text, or an array of its word and its name or number";
        PointError::new(position, "…", reason)
    };
    match item {
        Value::String(word) => Ok(WrittenStep::bare(word)),
        Value::Array(pair) => match pair.as_slice() {
            [Value::String(word), Value::String(argument)] => {
                Ok(WrittenStep { word: word.clone(), argument: Some(argument.clone()) })
            }
            [Value::String(word), Value::Number(number)] => {
                Ok(WrittenStep { word: word.clone(), argument: Some(number.to_string()) })
            }
            _ => Err(wrong()),
        },
        _ => Err(wrong()),
    }
}

// ---- breadcrumb ----------------------------------------------------------------------------------------------

/// Words that may follow a step written without its name, so that a name must be told from them.
fn is_every(text: &str) -> bool {
    [Kind::All, Kind::Names].iter().any(|kind| kind.word().eq_ignore_ascii_case(text))
}

fn breadcrumb_name(name: &str) -> String {
    let plain = !name.is_empty()
        && name.trim() == name
        && !is_every(name)
        && !name.chars().any(|character| {
            matches!(character, BREADCRUMB_SEPARATOR | '"')
                || is_hidden(character)
                || (character.is_whitespace() && character != ' ')
        });
    if plain { name.to_owned() } else { quote(name) }
}

/// `REQUEST`, `BODY`, `JSON`, `PROPERTY`, `token`
pub(crate) fn to_breadcrumb(side: Side, steps: &[Step]) -> Vec<String> {
    let mut crumbs = vec![side.as_str().to_ascii_uppercase()];
    for step in steps {
        crumbs.push(step.word().to_ascii_uppercase());
        match step {
            Step::Jwt(part) => crumbs.push(part.as_str().to_ascii_uppercase()),
            other => crumbs.extend(other.argument().map(|argument| breadcrumb_name(&argument))),
        }
    }
    crumbs
}

/// One element between two `›`.
struct Crumb {
    text: String,
    quoted: bool,
}

pub(crate) fn from_breadcrumb(text: &str) -> Result<Vec<WrittenStep>, PointError> {
    if text.len() > MAXIMUM_BREADCRUMB_BYTES {
        return Err(too_long(text.len(), MAXIMUM_BREADCRUMB_BYTES));
    }
    let mut crumbs = crumbs(text)?.into_iter().peekable();
    let mut written: Vec<WrittenStep> = Vec::new();
    while let Some(crumb) = crumbs.next() {
        if written.len() > MAXIMUM_STEPS {
            return Err(too_many_steps());
        }
        if crumb.quoted {
            let reason = "is a quoted name where a step's word is expected";
            return Err(PointError::new(written.len(), &crumb.text, reason));
        }
        let word = crumb.text;
        let named = !written.is_empty() && Kind::from_word(&word, true).is_some();
        let nameless = Kind::from_word(&word, false).is_some();
        let argument = if named {
            crumbs.next_if(|next| next.quoted || !(nameless && is_every(&next.text))).map(|next| next.text)
        } else {
            None
        };
        written.push(WrittenStep { word, argument });
    }
    Ok(written)
}

fn crumbs(text: &str) -> Result<Vec<Crumb>, PointError> {
    let mut crumbs = Vec::new();
    let mut rest = text;
    loop {
        let fault = |shown: &str, reason: &str| Err(PointError::new(crumbs.len(), shown, reason));
        rest = rest.trim_start();
        let (crumb, after) = if rest.starts_with('"') {
            let Some((name, after)) = unquote(rest) else { return fault(rest, QUOTES) };
            (Crumb { text: name, quoted: true }, after.trim_start())
        } else {
            let (bare, after) = rest.split_at(rest.find(BREADCRUMB_SEPARATOR).unwrap_or(rest.len()));
            let bare = bare.trim_end();
            if bare.is_empty() {
                return fault("", "is empty; elements are separated by one `›`");
            }
            if bare.contains('"') {
                return fault(bare, "has a quote in it; such names are quoted");
            }
            (Crumb { text: bare.to_owned(), quoted: false }, after)
        };
        if after.is_empty() {
            crumbs.push(crumb);
            return Ok(crumbs);
        }
        match after.strip_prefix(BREADCRUMB_SEPARATOR) {
            Some(following) => rest = following,
            None => return fault(after, "has text right after a quoted name"),
        }
        crumbs.push(crumb);
    }
}

/// Whether the form takes anything after its word; used by the reader of words.
pub(crate) fn takes_argument(kind: Kind) -> bool {
    kind.argument() != ArgumentKind::None
}
