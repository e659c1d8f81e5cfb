//! What a policy accepts, what it refuses, and in which words.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde_json::{Value, json};
use threadline_points::Point;
use threadline_policy::{MAXIMUM_PARAMETERS, ParameterType, Policy, PolicyDocument};

fn document(parameters: Value) -> PolicyDocument {
    serde_json::from_value(json!({ "parameters": parameters })).unwrap()
}

/// Errors as `field: reason`, in order.
fn refused(parameters: Value) -> Vec<String> {
    let errors = Policy::validate(1, document(parameters)).unwrap_err();
    errors.iter().map(ToString::to_string).collect()
}

fn accepted(parameters: Value) -> Policy {
    Policy::validate(1, document(parameters)).unwrap()
}

#[test]
fn the_reference_policy_is_accepted_in_both_spellings() {
    let policy = accepted(json!([
        {"name": "login token", "point": "response > body > json > property token", "group": true},
        {"name": "query token", "point": ["request", ["query", "token"]], "group": true},
        {"name": "user", "point": "request > header AUTHORIZATION > jwt payload > property sub", "type": "user"},
    ]));
    let names: Vec<&str> = policy.parameters().iter().map(|parameter| parameter.name.as_str()).collect();
    assert_eq!(names, ["login token", "query token", "user"]);
    assert_eq!(policy.points()[1], Point::parse("request > query token").unwrap());
    assert_eq!(policy.parameters()[2].kind, ParameterType::User);
}

#[test]
fn all_errors_are_reported_together_with_their_fields() {
    let errors = refused(json!([
        {"name": "", "point": "request > body > cookie sid"},
        {"name": "a", "point": "request > query a", "namespace": "no spaces"},
        {"name": "a", "point": 7},
        {"name": "b\u{7}", "point": []},
    ]));
    let fields: Vec<&str> = errors.iter().map(|error| error.split(':').next().unwrap()).collect();
    assert_eq!(
        fields,
        [
            "parameters[0].name",
            "parameters[0].point",
            "parameters[1].namespace",
            "parameters[2].name",
            "parameters[2].point",
            "parameters[3].name",
            "parameters[3].point",
        ]
    );
    assert!(errors[1].contains("`cookie sid` cannot stand after `body`"), "{}", errors[1]);
    assert!(errors[3].contains("already used by parameters[1]"), "{}", errors[3]);
}

#[test]
fn names_are_bounded_visible_and_unique() {
    let point = "request > query a";
    let longest = "é".repeat(64);
    accepted(json!([{"name": longest, "point": point}, {"name": "user id ›", "point": "request > query b"}]));
    for (name, reason) in [
        ("", "needs a name"),
        ("   ", "needs a name"),
        (" a", "begins or ends with a space"),
        ("a\n", "begins or ends with a space"),
        ("a\u{1b}[31mb", "control or invisible"),
        ("a\u{202e}b", "control or invisible"),
        (&"é".repeat(65), "has 65 characters"),
    ] {
        let errors = refused(json!([{"name": name, "point": point}]));
        assert!(errors.iter().any(|error| error.contains(reason)), "{name:?}: {errors:?}");
    }
}

#[test]
fn points_in_every_format_are_accepted() {
    for steps in ["xml > property a", "graphql > variable a", "grpc > property 1", "multipart a", "htmljs"] {
        accepted(json!([{"name": "a", "point": format!("request > body > {steps}")}]));
    }
}

#[test]
fn the_21st_parameter_is_refused_and_hidden_ones_do_not_count() {
    let parameters = |count: usize| -> Value {
        (0..count)
            .map(|number| json!({"name": format!("p{number}"), "point": format!("request > query q{number}")}))
            .collect()
    };
    let full = accepted(parameters(MAXIMUM_PARAMETERS));
    let errors = refused(parameters(MAXIMUM_PARAMETERS + 1));
    assert_eq!(errors, ["parameters[20]: a policy has at most 20 parameters, this one has 21"]);
    assert_eq!(refused(parameters(5000)).len(), 1);

    let needed = [Point::parse("request > query q3").unwrap(), Point::parse("request > query coupon").unwrap()];
    let with_hidden = full.with_hidden(&needed).unwrap();
    assert_eq!(with_hidden.parameters().len(), MAXIMUM_PARAMETERS + 1, "q3 is configured already");
    let hidden = with_hidden.parameters().last().unwrap();
    assert!(hidden.hidden && !hidden.group && hidden.name == "request > query coupon");
    assert_eq!(with_hidden.document(), full.document());
}

#[test]
fn a_point_may_be_used_twice_but_not_as_a_key_twice() {
    let point = "request > query account";
    accepted(json!([
        {"name": "key", "point": point, "group": true},
        {"name": "user", "point": point, "type": "user"},
    ]));
    let errors = refused(json!([
        {"name": "key", "point": point, "group": true},
        {"name": "again", "point": ["request", ["query", "account"]], "group": true, "namespace": "other"},
    ]));
    assert_eq!(
        errors,
        ["parameters[1].point: parameters[0] already groups by this point, so this key could never decide a session"]
    );
    let errors = refused(json!([
        {"name": "clear", "point": point},
        {"name": "secret", "point": point, "hashed": true},
    ]));
    assert!(errors[0].starts_with("parameters[1].hashed: exported hashed, but parameters[0]"), "{errors:?}");
}

#[test]
fn hashing_is_preselected_on_credentials_and_pointless_on_metadata() {
    let hashed = |point: &str| accepted(json!([{"name": "a", "point": point}])).parameters()[0].hashed;
    assert!(hashed("request > header COOKIE > cookie sid"));
    assert!(hashed("request > header AUTHORIZATION"));
    assert!(!hashed("request > query page"));
    let clear = accepted(json!([{"name": "a", "point": "request > header COOKIE > cookie theme", "hashed": false}]));
    assert!(!clear.parameters()[0].hashed);
    for point in ["request > method", "request > scheme", "request > proto", "response > status"] {
        assert!(!hashed(point));
        let errors = refused(json!([{"name": "a", "point": point, "hashed": true}]));
        assert!(errors[0].starts_with("parameters[0].hashed: "), "{errors:?}");
    }
}

#[test]
fn several_parameters_may_name_the_user() {
    let policy = accepted(json!([
        {"name": "login", "point": "request > body > json > property login", "type": "user"},
        {"name": "sub", "point": "request > header AUTHORIZATION > jwt payload > property sub", "type": "user"},
    ]));
    assert!(policy.parameters().iter().all(|parameter| parameter.kind == ParameterType::User));
}

#[test]
fn namespaces_have_a_plain_alphabet() {
    for (namespace, fits) in
        [("tenant-1", true), ("A.b_c", true), ("", false), ("a b", false), ("é", false), ("a/b", false)]
    {
        let written = document(json!([{"name": "a", "point": "request > query a", "namespace": namespace}]));
        assert_eq!(Policy::validate(1, written).is_ok(), fits, "{namespace}");
    }
}

/// Parameters out of few names and points, so that clashes are frequent.
fn parameters() -> impl Strategy<Value = Value> {
    let name = prop::sample::select(vec!["a", "b", "c", "d", "e", " ", "x\u{0}"]);
    let point = prop::sample::select(vec![
        "request > query a",
        "request > query token",
        "request > header COOKIE > cookie sid",
        "response > body > json > property token",
        "request > method",
        "request > body > cookie a",
    ]);
    let kind = prop::sample::select(vec!["none", "user", "role"]);
    let one = (name, point, kind, any::<bool>(), prop::option::of(any::<bool>()), prop::option::of("[a-z ]{0,3}"));
    let one = one.prop_map(|(name, point, kind, group, hashed, namespace)| {
        json!({"name": name, "point": point, "type": kind, "group": group, "hashed": hashed, "namespace": namespace})
    });
    prop::collection::vec(one, 0..24).prop_map(Value::Array)
}

proptest! {
    #[test]
    fn a_valid_policy_keeps_its_promises_and_reads_what_it_writes(parameters in parameters(), version: u64) {
        match Policy::validate(version, document(parameters)) {
            Err(errors) => prop_assert!(!errors.is_empty()),
            Ok(policy) => {
                prop_assert_eq!(policy.version(), version);
                let parameters = policy.parameters();
                prop_assert!(parameters.len() <= MAXIMUM_PARAMETERS);
                for (position, parameter) in parameters.iter().enumerate() {
                    let earlier = &parameters[..position];
                    let clash = |other: &&threadline_policy::Parameter| {
                        other.name == parameter.name || (other.point == parameter.point && other.group && parameter.group)
                    };
                    prop_assert!(earlier.iter().find(clash).is_none());
                }
                let written = serde_json::to_value(policy.document()).unwrap();
                let read = Policy::validate(version, serde_json::from_value(written).unwrap()).unwrap();
                prop_assert_eq!(read, policy);
            }
        }
    }

    #[test]
    fn any_text_as_a_point_is_judged_without_panic(point in ".{0,80}") {
        let _judged = Policy::validate(1, document(json!([{"name": "a", "point": point}])));
    }
}
