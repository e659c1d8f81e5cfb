//! `threadline points` with the real binary, on the repository's own recordings.
#![allow(clippy::unwrap_used)]

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

fn recording(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../testdata/har").join(name)
}

fn points(name: &str, options: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_threadline"));
    command.arg("points").arg(recording(name)).args(options).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn every_point_of_a_recording_stands_on_a_line_with_its_entry_and_value() {
    let output = points("recorded-shop.har", &[]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(text(&output.stderr), "", "quiet in a pipe");
    let listed = text(&output.stdout);
    assert!(listed.lines().count() > 100, "{listed}");
    for line in listed.lines() {
        let columns: Vec<&str> = line.split('\t').collect();
        assert_eq!(columns.len(), 3, "{line}");
        assert!(columns[0].parse::<usize>().unwrap() > 0, "{line}");
        assert!(columns[1].parse::<threadline_points::Point>().is_ok(), "{line}");
    }
}

#[test]
fn an_entry_and_a_side_can_be_chosen() {
    let all = points("recorded-shop.har", &["--json"]);
    let lines = text(&all.stdout);
    let exchanges: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(exchanges.len() > 3);
    let one = points("recorded-shop.har", &["--entry", "3", "--response", "--json"]);
    let line = text(&one.stdout);
    assert_eq!(line.lines().count(), 1);
    let exchange: Value = serde_json::from_str(&line).unwrap();
    assert_eq!((exchange["entry"].as_u64(), &exchange["target"]), (Some(3), &exchanges[2]["target"]));
    let spelled = exchange["points"].as_array().unwrap().iter().map(|point| point["point"].as_str().unwrap());
    assert!(spelled.clone().count() > 0);
    assert!(spelled.clone().all(|point| point.starts_with("response > ")));
}

#[test]
fn what_cannot_be_listed_is_said() {
    let output = points("recorded-shop.har", &["--entry", "9999"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("no entry 9999"), "{}", text(&output.stderr));
    let output = points("recorded-shop.har", &["--entry", "0"]);
    assert!(text(&output.stderr).contains("counted from 1"), "{}", text(&output.stderr));
    let output = points("not-har-html.har", &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("not a HAR file"), "{}", text(&output.stderr));
    let output = points("missing.har", &[]);
    assert!(text(&output.stderr).contains("missing.har"), "{}", text(&output.stderr));
    let output = points("damaged-truncated.har", &[]);
    assert_eq!(output.status.code(), Some(1), "damage is not success");
    assert!(text(&output.stderr).contains("damaged: entry"), "{}", text(&output.stderr));
    assert!(!output.stdout.is_empty(), "what is whole is listed");
}
