//! `threadline policy` through the real binary: a policy kept in a file, checked, compared, applied and exported.
#![allow(clippy::unwrap_used)]

mod support;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use http::Method;
use serde_json::{Value, json};
use support::Threadline;

fn policy(arguments: &[&str], file: Option<&Path>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_threadline"));
    command.arg("policy").args(&arguments[..1]).args(file).args(&arguments[1..]);
    for variable in ["THREADLINE_CONFIG", "THREADLINE_DATA", "THREADLINE_HUB", "THREADLINE_TOKEN"] {
        command.env_remove(variable);
    }
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Code, standard output, standard error.
fn said(output: &Output) -> (Option<i32>, String, String) {
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// A hub and a file beside it.
struct Place {
    folder: tempfile::TempDir,
    threadline: Threadline,
}

impl Place {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let threadline = Threadline::start(folder.path(), "serve", &[]).await;
        Self { folder, threadline }
    }

    fn write(&self, text: &str) -> std::path::PathBuf {
        let file = self.folder.path().join("policy.yaml");
        std::fs::write(&file, text).unwrap();
        file
    }

    fn run(&self, arguments: &[&str], file: Option<&Path>) -> (Option<i32>, String, String) {
        said(&policy(arguments, file).arg("--data").arg(self.threadline.data()).output().unwrap())
    }
}

const FIRST: &str = "\
# Kept in git.
applications:
- id: shop
  hosts: [api.shop.example]
masks:
- point: request > query pin # nobody may see it
parameters:
- name: token
  point: request > query token
  group: true
";

#[tokio::test]
async fn a_file_is_compared_applied_and_comes_back_the_same() {
    let place = Place::start().await;
    let file = place.write(FIRST);
    let (code, changes, _) = place.run(&["diff"], Some(&file));
    assert_eq!(code, Some(1), "{changes}");
    for sentence in ["added application `shop`", "added a mask of request > query pin", "added `token`"] {
        assert!(changes.contains(sentence), "{changes}");
    }
    let (code, dry, _) = place.run(&["apply", "--dry-run"], Some(&file));
    assert_eq!(code, Some(0));
    assert_eq!(dry, format!("{changes}would be version 1 (nothing was applied)\n"));
    assert_eq!(place.threadline.get("/policy").await["version"], 0);

    let (code, applied, _) = place.run(&["apply", "--base", "0", "--comment", "first\u{1b}[31m"], Some(&file));
    assert_eq!((code, applied), (Some(0), format!("{changes}version 1 holds\n")));
    let held = place.threadline.get("/policy").await;
    assert_eq!((held["version"].as_u64(), held["saved_by"].as_str()), (Some(1), Some("local command")));
    let (code, again, _) = place.run(&["apply"], Some(&file));
    assert_eq!((code, again.as_str()), (Some(0), "nothing to change; version 1 holds\n"));
    assert_eq!(place.run(&["diff"], Some(&file)).0, Some(0));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), FIRST, "the file is not touched");

    let (code, exported, _) = place.run(&["export"], None);
    assert_eq!(code, Some(0));
    let head = exported.lines().next().unwrap();
    assert!(head.starts_with("# Policy version 1, saved by local command at 20"), "{head}");
    assert!(head.ends_with(": first\\u{1b}[31m"), "{head}");
    let exported = place.write(&exported);
    let (code, unchanged, _) = place.run(&["apply"], Some(&exported));
    assert_eq!((code, unchanged.as_str()), (Some(0), "nothing to change; version 1 holds\n"));

    // A mask over a key is worth a warning, and an older version can be had again.
    let covered = place.write(&FIRST.replace("query pin", "query token"));
    let (code, _, warning) = place.run(&["apply"], Some(&covered));
    assert_eq!(code, Some(0));
    assert!(warning.starts_with("warning: parameters[0].point: the mask of"), "{warning}");
    let (_, first, _) = place.run(&["export", "--version", "1"], None);
    assert!(first.contains("request > query pin"), "{first}");
    assert_eq!(place.run(&["export", "--version", "9"], None).0, Some(1));
    let mut child = policy(&["apply"], Some(Path::new("-")));
    let child = child.arg("--data").arg(place.threadline.data()).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = child.unwrap();
    child.stdin.take().unwrap().write_all(first.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(text(&output.stdout).ends_with("version 3 holds\n"), "{output:?}");
    let held = place.threadline.get("/policy/versions/3/changes?since=1").await;
    assert_eq!(held["changes"], json!([]));
    place.threadline.stop().await;
}

/// Texts that YAML could take for something else, or that are hard to quote, and all sections.
#[tokio::test]
async fn whatever_a_policy_holds_survives_the_way_through_yaml() {
    let place = Place::start().await;
    let names =
        ["yes", "12", "1e3", "null", "~", "- a", "a: b", "#a", "'", "\"", "%a", "@a", "{a}", "ключ", "0x1f", "a  b"];
    let parameters: Vec<Value> = (0..)
        .zip(names)
        .map(|(number, name)| json!({"name": name, "point": format!("request > query q{number}"), "group": true}))
        .collect();
    let long = "x".repeat(60);
    let whole = json!({
        "applications": [{"id": "12", "name": "no: way #1", "hosts": ["*.shop.example:80"], "paths": ["/a/*/b", "/**/c"]}],
        "analysed": {"applications": ["12", "default"], "methods": ["GET"]},
        "masks": [{"point": format!("request > uri > capture \"{long} {long} ([^&]*)\\\\d\""), "scope": {"paths": ["/p"]}}],
        "parameters": parameters,
    });
    let (response, saved) = place
        .threadline
        .api_with(Method::PUT, "/policy", Some(json!({"policy": whole})), &[("if-match", "\"0\"")])
        .await;
    assert!(response.status().is_success(), "{saved}");
    let (code, exported, error) = place.run(&["export"], None);
    assert_eq!(code, Some(0), "{error}");
    let file = place.write(&exported);
    let (code, changes, error) = place.run(&["diff"], Some(&file));
    assert_eq!(code, Some(0), "{changes}{error}\n{exported}");
    place.threadline.stop().await;
}

#[tokio::test]
async fn a_stale_base_is_refused_with_what_others_saved() {
    let place = Place::start().await;
    let file = place.write(FIRST);
    assert_eq!(place.run(&["apply", "--comment", "ours"], Some(&file)).0, Some(0));
    place.threadline.put_parameters(json!([{"name": "theirs", "point": "request > method"}])).await;
    let (code, _, refused) = place.run(&["apply", "--base", "1"], Some(&file));
    assert_eq!(code, Some(1));
    for words in
        ["version 2 holds, not 1", "version 2 was saved by local command at", "added `theirs`", "removed `token`"]
    {
        assert!(refused.contains(words), "{words}: {refused}");
    }
    assert!(!refused.contains("ours"), "version 1 is known: {refused}");
    let (code, _, refused) = place.run(&["apply", "--base", "7"], Some(&file));
    assert_eq!(code, Some(1));
    assert!(refused.contains("there is no version 7"), "{refused}");
    assert_eq!(place.threadline.get("/policy").await["version"], 2, "nothing was applied");
    assert_eq!(place.run(&["apply", "--base", "2"], Some(&file)).0, Some(0));
    place.threadline.stop().await;
}

#[test]
fn what_cannot_be_a_policy_is_refused_without_a_hub() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("policy.yaml");
    let validate = |text: &str| {
        std::fs::write(&file, text).unwrap();
        said(&policy(&["validate"], Some(&file)).output().unwrap())
    };
    let (code, good, _) = validate(FIRST);
    assert_eq!((code, good), (Some(0), format!("{}: good\n", file.display())));

    let many: String =
        (0..21).map(|number| format!("- name: key {number}\n  point: request > query q{number}\n")).collect();
    let exploding = "parameters:\n- name: a\n  point: request > uri > capture \"(((a{99}){99}){99})\"\n";
    let twice = "parameters:\n- {name: a, point: request > method}\n- {name: a, point: request > uri}\n";
    let impossible =
        "masks:\n- point: request > nonsense\nparameters:\n- name: ''\n  point: request > body > cookie x\n";
    for (text, mistakes) in [
        (format!("parameters:\n{many}"), vec!["parameters[20]: "]),
        (twice.to_owned(), vec!["line 3: parameters[1].name: "]),
        (
            impossible.to_owned(),
            vec!["line 2: masks[0].point: ", "line 4: parameters[0].name: ", "line 5: parameters[0].point: "],
        ),
        (
            "paramters: []\nparameters:\n- name: a\n  point: request > uri\n  secret: true\n".to_owned(),
            vec!["line 1: paramters: ", "line 5: parameters[0].secret: "],
        ),
        (exploding.to_owned(), vec!["line 3: parameters[0].point: "]),
        ("parameters: [\n".to_owned(), vec!["line 1"]),
        (format!("parameters: []\n# {}\n", "x".repeat(1 << 20)), vec!["larger than 1 MiB"]),
    ] {
        let (code, _, refused) = validate(&text);
        assert_eq!(code, Some(1), "{refused}");
        for mistake in mistakes {
            assert!(refused.contains(mistake), "{mistake}: {refused}");
        }
    }
    // No hub is needed to find that out, whatever was asked for.
    let output = policy(&["diff", "--data", "nowhere"], Some(&file)).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("larger than 1 MiB"));
    let missing = said(&policy(&["validate"], Some(&folder.path().join("none.yaml"))).output().unwrap());
    assert_eq!(missing.0, Some(1));
    assert!(missing.2.contains("cannot read"), "{missing:?}");
    let schema = said(&policy(&["schema"], None).output().unwrap());
    let schema: Value = serde_json::from_str(&schema.1).unwrap();
    assert_eq!(schema["$defs"]["PolicyDocument"]["additionalProperties"], false);
}

#[tokio::test]
async fn a_hub_that_cannot_be_used_says_what_to_do() {
    let place = Place::start().await;
    let file = place.write(FIRST);
    let nowhere = said(&policy(&["diff", "--data"], Some(&file)).arg(place.folder.path()).output().unwrap());
    assert_eq!(nowhere.0, Some(2));
    assert!(nowhere.2.contains("no hub runs on") && nowhere.2.contains("--hub"), "{nowhere:?}");
    let at = |address: &str, token: &str| {
        said(&policy(&["apply", "--hub", address], Some(&file)).env("THREADLINE_TOKEN", token).output().unwrap())
    };
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let free = taken.local_addr().unwrap();
    drop(taken);
    let (code, _, unreachable) = at(&format!("http://{free}"), "tl_x");
    assert_eq!(code, Some(1));
    assert!(unreachable.contains("cannot be reached"), "{unreachable}");
    let (_, _, unknown) = at(&place.threadline.console, "tl_x");
    assert!(unknown.contains("does not know the token") && unknown.contains("THREADLINE_TOKEN"), "{unknown}");
    let (_, made) = place.threadline.api(Method::POST, "/tokens", Some(json!({"name": "ci", "role": "viewer"}))).await;
    let (code, changes, refused) = at(&place.threadline.console, made["secret"].as_str().unwrap());
    assert_eq!(code, Some(1));
    assert!(changes.contains("added `token`") && refused.contains("applying takes admin"), "{changes}{refused}");
    let no_token = said(&policy(&["export", "--hub", &place.threadline.console], None).output().unwrap());
    assert_eq!(no_token.0, Some(2));
    assert!(no_token.2.contains("--token"), "{no_token:?}");
    place.threadline.stop().await;
}
