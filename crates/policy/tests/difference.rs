//! What changed between two versions, in words and as a set that can be undone.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde_json::{Value, json};
use threadline_policy::{Policy, PolicyChange};

fn policy(parameters: Value) -> Policy {
    let document = serde_json::from_value(json!({ "parameters": parameters })).unwrap();
    Policy::validate(1, document).unwrap()
}

fn named(names: &[&str]) -> Policy {
    policy(names.iter().map(|name| json!({"name": name, "point": format!("request > query {name}")})).collect())
}

fn sentences(before: &Policy, after: &Policy) -> Vec<String> {
    after.difference_from(before).changes.iter().map(ToString::to_string).collect()
}

#[test]
fn changes_read_as_sentences() {
    let before = policy(json!([
        {"name": "a", "point": "request > query a", "group": true},
        {"name": "b", "point": "request > query b"},
        {"name": "c", "point": "request > query c"},
    ]));
    let after = policy(json!([
        {"name": "c", "point": "request > query c"},
        {"name": "a", "point": "request > query aa", "type": "user", "hashed": true, "namespace": "n"},
        {"name": "d", "point": "response > header X-D"},
    ]));
    assert_eq!(
        sentences(&before, &after),
        [
            "removed `b` (request > query b) from position 2",
            "added `d` (response > header X-D) at position 3",
            "changed point of `a` from request > query a to request > query aa",
            "changed type of `a` from none to user",
            "changed group of `a` from yes to no",
            "changed hashed of `a` from no to yes",
            "changed namespace of `a` from the shared one to `n`",
            "moved `c` from position 3 to 1",
        ]
    );
    let data = serde_json::to_value(after.difference_from(&before)).unwrap();
    assert_eq!(
        data["changes"][0],
        json!({"change": "removed", "name": "b", "point": "request > query b", "position": 2})
    );
}

#[test]
fn a_new_name_for_the_same_settings_is_a_renaming() {
    let before =
        policy(json!([{"name": "a", "point": "request > query a"}, {"name": "b", "point": "request > query b"}]));
    let after =
        policy(json!([{"name": "a", "point": "request > query a"}, {"name": "z", "point": "request > query b"}]));
    assert_eq!(sentences(&before, &after), ["renamed `b` to `z`"]);
}

#[test]
fn only_what_has_to_move_moves() {
    let moved = sentences(&named(&["a", "b", "c", "d", "e"]), &named(&["e", "a", "b", "c", "d"]));
    assert_eq!(moved, ["moved `e` from position 5 to 1"]);
    assert_eq!(sentences(&named(&["a", "b"]), &named(&["a", "b"])), Vec::<String>::new());
    let shifted = sentences(&named(&["a", "b", "c"]), &named(&["b", "c"]));
    assert_eq!(shifted, ["removed `a` (request > query a) from position 1"], "the others only moved up");
}

proptest! {
    #[test]
    fn a_difference_is_empty_only_between_equal_policies(
        before in Just(vec!["a", "b", "c", "d", "e"]).prop_shuffle(),
        after in Just(vec!["a", "b", "c", "d", "e"]).prop_shuffle(),
        kept in 0_usize..=5,
    ) {
        let (before, after) = (named(&before), named(&after[..kept]));
        let changes = after.difference_from(&before).changes;
        prop_assert_eq!(changes.is_empty(), before == after);
        let removed = changes.iter().filter(|change| matches!(change, PolicyChange::Removed { .. })).count();
        prop_assert_eq!(removed, 5 - kept);
        let moved = changes.iter().filter(|change| matches!(change, PolicyChange::Moved { .. })).count();
        prop_assert!(moved < kept.max(1));
    }
}
