//! The command line as a newcomer meets it: help that teaches, mistakes named with field and reason.
#![allow(clippy::unwrap_used)]

use std::process::{Command, Output};

fn threadline(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_threadline")).args(arguments).env_remove("THREADLINE_CONFIG").output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn help_names_every_subcommand_and_says_where_to_start() {
    let output = threadline(&["--help"]);
    assert!(output.status.success());
    let help = text(&output.stdout);
    for word in ["serve", "demo", "import", "check", "policy", "openapi", "reset-password", "Start here"] {
        assert!(help.contains(word), "{help}");
    }
    for subcommand in ["serve", "demo", "check", "openapi", "reset-password"] {
        assert!(threadline(&[subcommand, "--help"]).status.success(), "{subcommand}");
    }
    let help = text(&threadline(&["import", "har", "--help"]).stdout);
    assert!(help.split_whitespace().collect::<Vec<_>>().join(" ").contains("again adds nothing"), "{help}");
}

#[test]
fn check_names_every_mistake_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("threadline.yaml");
    std::fs::write(&file, "proxy:\n  upstream: ftp://x\nretention:\n  days: 0\npolicy:\n  parameters:\n    - name: a\n      point: request > body > cookie x\n").unwrap();
    let output = threadline(&["check", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    for (line, field) in [(2, "proxy.upstream"), (4, "retention.days"), (8, "policy.parameters[0].point")] {
        assert!(said.contains(&format!("line {line}: {field}: ")), "{said}");
    }
    assert!(said.contains(file.to_str().unwrap()), "{said}");
    std::fs::write(&file, "proxy:\n  lisen: 127.0.0.1:1\n").unwrap();
    let said = text(&threadline(&["check", file.to_str().unwrap()]).stderr);
    assert!(said.contains("lisen") && said.contains("line 2"), "{said}");
    std::fs::write(&file, "proxy: {upstream: 'http://127.0.0.1:9000'}\n").unwrap();
    let output = threadline(&["check", file.to_str().unwrap()]);
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[test]
fn serve_with_a_mistake_says_so_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let output = threadline(&["serve", "--upstream", "ftp://x", "--data", data.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.contains("proxy.upstream") && said.contains("http://"), "{said}");
    assert!(!data.exists(), "a refused start leaves nothing behind");
}

#[test]
fn the_environment_can_close_what_the_file_opens() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("threadline.yaml");
    std::fs::write(&file, "hub: {listen: '0.0.0.0:0', allow_remote: true}\n").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_threadline"))
        .args(["serve", "--config", file.to_str().unwrap(), "--data"])
        .arg(folder.path().join("data"))
        .env("THREADLINE_CONSOLE_ALLOW_REMOTE", "false")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("hub.listen"), "{}", text(&output.stderr));
}

#[test]
fn a_demo_leaves_real_data_alone() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("threadline-data");
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join("state.sqlite"), "of a real installation").unwrap();
    let output = threadline(&["demo", "--data", data.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("no demo made"), "{}", text(&output.stderr));
    assert_eq!(std::fs::read_dir(&data).unwrap().count(), 1);
}

#[test]
fn a_demo_has_a_data_folder_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    // A port that is taken ends the start after the folder was chosen.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_threadline"))
        .args(["demo", "--console", &taken.local_addr().unwrap().to_string()])
        .current_dir(folder.path())
        .env_remove("THREADLINE_CONFIG")
        .env_remove("THREADLINE_DATA")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let made: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(made, ["threadline-demo-data"]);
}

#[test]
fn a_password_is_reset_only_where_a_hub_ran() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let output = threadline(&["reset-password", "ada", "--data", data.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("no state of a hub"), "{}", text(&output.stderr));
    assert!(!data.exists());
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let said = text(&threadline(&["check", "no-such-file.yaml"]).stderr);
    assert!(said.contains("no-such-file.yaml"), "{said}");
}
