//! `threadline points`: every point of the exchanges in a recording, with its value, for whoever looks for a grouping
//! key. Reads through the same importer as `import`, so what is listed is what an import would see.

use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use threadline_capture::import::har::{HarError, HarReader, HarSettings};
use threadline_model::{Exchange, escape_for_display};
use threadline_points::{Bounds, Found, ListBounds, ListedPoint, PointList, Side, list};

use crate::cli::PointsOptions;

/// Characters of a value on a terminal.
const VALUE_CHARACTERS: usize = 80;
/// The widest column of points on a terminal; what is longer pushes its own value aside.
const POINT_CHARACTERS: usize = 64;
/// Bytes of each value for programs.
const VALUE_BYTES: usize = 8 * 1024;

/// Why nothing could be listed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PointsError {
    #[error("{}", file.display())]
    Har {
        file: PathBuf,
        #[source]
        source: HarError,
    },
    #[error("{} has no entry {wanted}: {}", file.display(), entries(*found))]
    NoEntry { file: PathBuf, wanted: usize, found: usize },
    #[error(
        "entry {wanted} of {} is no exchange: it is damaged, or it never left the browser (a data: or blob: URL)",
        file.display()
    )]
    NoExchange { file: PathBuf, wanted: usize },
}

fn entries(count: usize) -> String {
    match count {
        0 => "it has none".to_owned(),
        1 => "it has one".to_owned(),
        more => format!("it has {more}, counted from 1"),
    }
}

/// How the list is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Columns for a person at a terminal, and a hint what to do with a point.
    Terminal,
    /// `entry`, `point` and `value` with tabs between.
    Lines,
    /// An object per exchange and line.
    Json,
}

/// Lists the points on standard output. `Ok(false)`: something in the file was damaged.
pub(crate) fn run(options: &PointsOptions) -> Result<bool, PointsError> {
    let form = match (options.json, io::stdout().is_terminal()) {
        (true, _) => Form::Json,
        (false, true) => Form::Terminal,
        (false, false) => Form::Lines,
    };
    let mut output = BufWriter::new(io::stdout().lock());
    write(options, form, &mut output)
}

fn write(options: &PointsOptions, form: Form, output: &mut impl Write) -> Result<bool, PointsError> {
    let har_error = |source| PointsError::Har { file: options.file.clone(), source };
    let mut reader = HarReader::open(&options.file, HarSettings::default()).map_err(har_error)?;
    let mut whole = true;
    let mut example = None;
    let mut listed = false;
    while let Some(entry) = reader.next() {
        // Counted behind it: the entries that are no exchanges count too.
        let number = reader.counts().entries;
        match entry {
            Ok(exchange) => {
                if options.entry.is_some_and(|wanted| wanted != number) {
                    continue;
                }
                listed = true;
                let points = wanted(options, list_points(&exchange, form));
                let text = match form {
                    Form::Terminal => for_terminal(number, &exchange, &points),
                    Form::Lines => for_lines(number, &points),
                    Form::Json => for_json(number, &exchange, &points),
                };
                example = example.or_else(|| example_of(&points));
                // Whoever reads has seen enough (`| head`): that is no failure.
                if output.write_all(text.as_bytes()).is_err() {
                    return Ok(whole);
                }
                if options.entry.is_some() {
                    break;
                }
            }
            Err(damage) if options.entry.is_none() => {
                whole = false;
                let place = format!("entry {} at byte {}: {}", damage.entry + 1, damage.offset, damage.reason);
                // Nobody may be there to read it.
                let _ = writeln!(io::stderr(), "threadline: {}: damaged: {place}", options.file.display());
            }
            Err(_) => {}
        }
    }
    if let Some(wanted) = options.entry
        && !listed
    {
        let (file, found) = (options.file.clone(), reader.counts().entries);
        return Err(match wanted <= found && wanted > 0 {
            true => PointsError::NoExchange { file, wanted },
            false => PointsError::NoEntry { file, wanted, found },
        });
    }
    if form == Form::Terminal {
        let _ = output.write_all(hint(example.as_deref()).as_bytes());
    }
    let _ = output.flush();
    Ok(whole)
}

fn list_points(exchange: &Exchange, form: Form) -> PointList {
    let value_bytes = if form == Form::Terminal { 4 * VALUE_CHARACTERS } else { VALUE_BYTES };
    list(exchange, &[], Bounds::default(), ListBounds { value_bytes, ..ListBounds::default() })
}

/// Of the messages that are asked for.
fn wanted(options: &PointsOptions, mut points: PointList) -> PointList {
    if options.request != options.response {
        let side = if options.request { Side::Request } else { Side::Response };
        points.points.retain(|listed| listed.point.side() == side);
    }
    points
}

fn text_of(bytes: &[u8]) -> String {
    escape_for_display(bytes, usize::MAX)
}

fn for_terminal(number: usize, exchange: &Exchange, list: &PointList) -> String {
    let request = &exchange.request;
    let host = request.host.as_ref().map(|host| text_of(host.as_bytes())).unwrap_or_default();
    let scheme = request.scheme.map(|scheme| format!("{}://", scheme.as_str())).unwrap_or_default();
    let target = escape_for_display(request.target.as_bytes(), VALUE_CHARACTERS);
    let status = exchange.response.as_ref().map_or("no response".to_owned(), |response| response.status.to_string());
    let mut text =
        format!("Entry {number}: {} {scheme}{host}{target}  {status}\n\n", text_of(request.method.as_bytes()));
    let spelled: Vec<String> = list.points.iter().map(|listed| listed.point.to_string()).collect();
    let widths = spelled.iter().map(|point| point.chars().count());
    let width = widths.filter(|width| *width <= POINT_CHARACTERS).max().unwrap_or(0);
    for (point, listed) in spelled.iter().zip(&list.points) {
        text += &format!("  {point:width$}  {}\n", shown_value(listed));
    }
    if list.points.is_empty() {
        text += "  nothing\n";
    }
    if list.truncated {
        text += "  … and more than is listed\n";
    }
    text.push('\n');
    text
}

fn shown_value(listed: &ListedPoint) -> String {
    match &listed.found {
        Found::Value(value) => {
            let shown = escape_for_display(value, VALUE_CHARACTERS);
            match listed.bytes > value.len() || shown.ends_with('…') {
                true => format!("{} ({} bytes)", shown.trim_end_matches('…').to_owned() + "…", listed.bytes),
                false => shown,
            }
        }
        Found::Empty => "(empty)".to_owned(),
        _ => "(masked)".to_owned(),
    }
}

fn for_lines(number: usize, list: &PointList) -> String {
    let lines = list.points.iter().map(|listed| {
        let value = listed.found.value().map(text_of).unwrap_or_default();
        format!("{number}\t{}\t{value}\n", listed.point)
    });
    lines.collect()
}

fn for_json(number: usize, exchange: &Exchange, list: &PointList) -> String {
    let points = list.points.iter().map(|listed| {
        let value = listed.found.value();
        let text = value.and_then(|value| std::str::from_utf8(value).ok());
        let base64 = value.filter(|_| text.is_none()).map(|value| STANDARD.encode(value));
        json!({
            "point": listed.point.to_string(),
            "point_json": listed.point.to_json(),
            "value": text,
            "value_base64": base64,
            "bytes": listed.bytes,
        })
    });
    let request = &exchange.request;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let line = json!({
        "entry": number,
        "method": text(request.method.as_bytes()),
        "host": request.host.as_ref().map(|host| text(host.as_bytes())),
        "target": text(request.target.as_bytes()),
        "status": exchange.response.as_ref().map(|response| response.status),
        "points": points.collect::<Vec<Value>>(),
        "truncated": list.truncated,
    });
    format!("{line}\n")
}

/// A point that could be a grouping key.
fn example_of(list: &PointList) -> Option<String> {
    let is_token = |listed: &&ListedPoint| {
        let value = listed.found.value().is_some_and(|value| value.len() >= 8);
        // Who knows a password is somebody, but it is no session.
        value && listed.point.is_credential_place() && !listed.point.to_string().to_ascii_lowercase().contains("passw")
    };
    let issued = list.points.iter().filter(is_token).find(|listed| listed.point.side() == Side::Response);
    let example = issued.or_else(|| list.points.iter().find(is_token));
    example.map(|listed| listed.point.to_string())
}

fn hint(example: Option<&str>) -> String {
    let point = json!(example.unwrap_or("response > body > json > property token")).to_string();
    format!(
        "To group sessions by one of these values, make its point a parameter: in the console under Parameters, or in\n\
         the policy of a configuration file:\n\n  policy:\n    parameters:\n      - {{name: my key, point: {point}, group: true}}\n"
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const RECORDING: &str = r#"{"log":{"version":"1.2","entries":[{"startedDateTime":"2026-11-23T10:00:00Z","time":1,
        "request":{"method":"POST","url":"https://shop.example/login?id=1","headers":[],"postData":{"mimeType":"application/json","text":"{\"name\":\"a\\u001b[31m\"}"}},
        "response":{"status":200,"headers":[],"content":{"size":2,"mimeType":"application/json","text":"{\"token\":\"aaa\",\"long\":\"LONG\"}"}}}]}}"#;

    fn written(form: Form, change: impl FnOnce(&mut PointsOptions)) -> String {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("recording.har");
        std::fs::write(&file, RECORDING.replace("LONG", &"x".repeat(500))).unwrap();
        let mut options = PointsOptions { file, entry: None, request: false, response: false, json: false };
        change(&mut options);
        let mut output = Vec::new();
        assert!(write(&options, form, &mut output).unwrap());
        String::from_utf8(output).unwrap()
    }

    #[test]
    fn a_terminal_gets_columns_and_a_hint() {
        let text = written(Form::Terminal, |_| {});
        assert!(text.starts_with("Entry 1: POST https://shop.example/login?id=1  200\n\n"), "{text}");
        let column = |end: &str| text.lines().find(|line| line.ends_with(end)).unwrap().find(end).unwrap();
        assert_eq!(column("POST"), column("aaa"), "{text}");
        assert!(text.contains("…") && text.contains("(500 bytes)"), "{text}");
        assert!(text.contains("a\\u{1b}[31m") && !text.contains('\u{1b}'), "{text}");
        let example = r#"{name: my key, point: "response > body > json > property token", group: true}"#;
        assert!(text.ends_with(&format!("- {example}\n")), "{text}");
    }

    #[test]
    fn a_pipe_gets_lines_and_nothing_else() {
        let text = written(Form::Lines, |options| options.response = true);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "1\tresponse > status\t200");
        assert_eq!(lines[2], "1\tresponse > body > json > property token\taaa");
        assert!(lines.iter().all(|line| line.split('\t').count() == 3), "{text}");
        assert!(!text.contains("request >"), "{text}");
    }

    #[test]
    fn programs_get_an_object_for_each_exchange() {
        let text = written(Form::Json, |options| options.entry = Some(1));
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((value["entry"].as_u64(), value["status"].as_u64()), (Some(1), Some(200)));
        let points = value["points"].as_array().unwrap();
        let token = points.iter().find(|point| point["value"] == "aaa").unwrap();
        assert_eq!(token["point_json"], json!(["response", "body", "json", ["property", "token"]]));
    }
}
