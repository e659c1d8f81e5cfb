//! What an exported exchange looks like: parameters, users, hashes in every place, metadata in its exported form.
#![allow(clippy::unwrap_used)]

mod support;

use proptest::prelude::*;
use serde_json::{Value, json};
use support::{exchange, hash, jwt, policy, select};
use threadline_context::{Contextual, Text};
use threadline_model::{CapturedText, Exchange, Scheme};

fn of<T>(parameters: Value, exchange: &Exchange, look: impl FnOnce(&Contextual<'_>) -> T) -> T {
    select(&policy(parameters), exchange, look)
}

/// Path, query and endpoint.
fn target(parameters: Value, target: &str) -> (String, Option<String>, String) {
    of(parameters, &exchange(&format!("GET {target}"), "200"), |contextual| {
        let query = contextual.query.as_ref().map(|query| query.as_str().to_owned());
        (contextual.path.as_str().to_owned(), query, contextual.endpoint.clone())
    })
}

#[test]
fn parameters_leave_in_the_policys_order_with_their_origin() {
    let parameters = json!([
        {"name": "mail", "point": "response > body > json > property mail"},
        {"name": "absent", "point": "request > query absent"},
        {"name": "key", "point": "request > header X-API-KEY", "group": true},
    ]);
    let exchange = exchange("GET /\nx-api-key: k1", "200\ncontent-type: application/json\n\n{\"mail\":\"a@b.c\"}");
    of(parameters, &exchange, |contextual| {
        let shown: Vec<(&str, &str, bool, &str)> = contextual
            .params
            .iter()
            .map(|param| (param.name, param.value.as_str(), param.value.is_hashed(), param.side.as_str()))
            .collect();
        let hashed = hash("k1");
        assert_eq!(shown, [("mail", "a@b.c", false, "response"), ("key", &hashed, true, "request")]);
        let session = &contextual.session;
        assert_eq!((session.key, session.value.as_str(), session.value.is_hashed()), ("key", hashed.as_str(), true));
        assert_eq!((session.trace.as_str(), session.issued), ("d", false));
    });
}

#[test]
fn a_parameter_of_several_values_leaves_with_each_and_hides_each_everywhere() {
    let parameters = |hashed: bool| {
        json!([
            {"name": "ids", "point": "request > body > json > index > all > property id", "type": "user", "hashed": hashed},
            {"name": "part", "point": "request > path 0"},
            {"name": "segments", "point": "request > path > all", "hashed": hashed},
        ])
    };
    let exchange = exchange(
        "POST /customer-2/next\ncontent-type: application/json\n\n[{\"id\":\"customer-1\"},{\"id\":\"customer-2\"}]",
        "200",
    );
    for hashed in [false, true] {
        let text = |value: &str| if hashed { hash(value) } else { value.to_owned() };
        of(parameters(hashed), &exchange, |contextual| {
            let shown: Vec<(&str, &str)> =
                contextual.params.iter().map(|param| (param.name, param.value.as_str())).collect();
            let (one, two, next) = (text("customer-1"), text("customer-2"), text("next"));
            let expected = [("ids", &one), ("ids", &two), ("part", &two), ("segments", &two), ("segments", &next)];
            assert_eq!(shown, expected.map(|(name, value)| (name, value.as_str())));
            assert_eq!(contextual.user.as_ref().map(Text::as_str), Some(one.as_str()));
            assert_eq!(contextual.path.as_str().contains("customer-2"), !hashed, "{}", contextual.path.as_str());
        });
    }
}

#[test]
fn the_last_parameter_with_a_value_names_user_and_role() {
    let parameters = json!([
        {"name": "login", "point": "request > query login", "type": "user"},
        {"name": "account", "point": "request > query account", "type": "user"},
        {"name": "role", "point": "request > query role", "type": "role", "hashed": true},
    ]);
    let user = |target: &str| {
        of(parameters.clone(), &exchange(&format!("GET {target}"), "200"), |contextual| {
            let text = |text: &Option<Text<'_>>| text.as_ref().map(|text| text.as_str().to_owned());
            (text(&contextual.user), text(&contextual.role))
        })
    };
    assert_eq!(user("/?login=a&account=b&role=admin"), (Some("b".into()), Some(hash("admin"))));
    assert_eq!(user("/?login=a&account="), (Some("a".into()), None));
    assert_eq!(user("/"), (None, None));
}

#[test]
fn a_user_of_the_response_was_seen_after_one_of_the_request() {
    let parameter = |name: &str, point: &str| json!({"name": name, "point": point, "type": "user"});
    let answered = parameter("answered", "response > body > json > property user");
    let again = parameter("again", "response > header X-USER");
    let asked = parameter("asked", "request > query user");
    let exchange = exchange("GET /?user=a", "200\nx-user: c\ncontent-type: application/json\n\n{\"user\":\"b\"}");
    for (parameters, expected) in [
        (json!([asked, answered]), "b"),
        (json!([answered, asked]), "b"),
        (json!([answered, asked, again]), "c"),
        (json!([again, answered, asked]), "b"),
        (json!([asked]), "a"),
    ] {
        let user = of(parameters.clone(), &exchange, |contextual| contextual.user.clone().unwrap().as_str().to_owned());
        assert_eq!(user, expected, "{parameters}");
    }
}

#[test]
fn the_query_shows_names_and_selected_values_only() {
    let parameters = json!([
        {"name": "page", "point": "request > query page"},
        {"name": "token", "point": "request > query token", "hashed": true},
        {"name": "sid", "point": "request > query sid", "hashed": false},
        {"name": "nested", "point": "request > query p > property x"},
    ]);
    let query = |query: &str| target(parameters.clone(), &format!("/?{query}")).1.unwrap();
    assert_eq!(query("page=2&q=secret&flag"), "page=2&q&flag");
    assert_eq!(query("token=abc"), format!("token={}", hash("abc")));
    assert_eq!(query("page=a%20b"), "page=a%20b", "as sent");
    assert_eq!(query("page=1&page=2"), "page=1&page", "the first is what the point selects");
    assert_eq!(query("sid=abc"), format!("sid={}", hash("abc")), "the built-in set decided by it");
    assert_eq!(query("p[x]=1&p[y]=2"), "p[x]&p[y]");
    assert_eq!(query("a&&b=&=c"), "a&b&");
    assert_eq!(query(""), "");
    assert_eq!(target(parameters.clone(), "/a").1, None);
    assert!(query(&"name=1&".repeat(4000)).len() <= 8 * 1024 + 32);
}

#[test]
fn who_chooses_a_credential_in_clear_gets_it_in_clear_there_and_nowhere_else() {
    for (point, query) in [
        ("request > query token", "token=secret-1"),
        ("request > query sid", "sid=secret-1"),
        ("request > query password", "password=secret-1"),
    ] {
        // Another key decides, so the built-in set does not.
        let parameters = json!([
            {"name": "key", "point": "request > header X-KEY", "group": true, "hashed": false},
            {"name": "chosen", "point": point, "hashed": false},
            {"name": "copy", "point": "request > header X-COPY"},
        ]);
        let request = format!("GET /a?{query}&q=x\nx-key: k\nx-copy: <secret-2>\ncookie: sid=secret-2");
        of(parameters, &exchange(&request, "200"), |contextual| {
            assert_eq!(contextual.query.as_ref().unwrap().as_str(), format!("{query}&q"), "{point}");
            assert_eq!(contextual.params[1].value, Text::Clear("secret-1".into()), "{point}");
            assert_eq!(contextual.params[2].value.as_str(), format!("<{}>", hash("secret-2")), "{point}");
        });
    }
    let parameters = json!([
        {"name": "chosen", "point": "request > header X-API-KEY", "hashed": false, "group": true},
        {"name": "copy", "point": "request > header X-COPY"},
    ]);
    let request = "GET /secret-1\nx-api-key: secret-1\nx-copy: secret-1";
    of(parameters, &exchange(request, "200"), |contextual| {
        let hashed = hash("secret-1");
        let values: Vec<&str> = contextual.params.iter().map(|parameter| parameter.value.as_str()).collect();
        assert_eq!((values, contextual.path.as_str()), (vec!["secret-1", &hashed], &*format!("/{hashed}")));
        assert_eq!(contextual.session.value.as_str(), "secret-1");
    });
}

#[test]
fn credentials_that_did_not_decide_are_hashed_wherever_they_appear() {
    let request = |target: &str| {
        format!(
            "GET {target}\nx-key: k\nauthorization: Bearer secret-1\nuser-agent: app/1 (secret-2)\n\
                 x-copy: secret-1,secret-2\nx-session-token: secret-2"
        )
    };
    let parameters = json!([
        {"name": "key", "point": "request > header X-KEY", "group": true, "hashed": false},
        {"name": "copy", "point": "request > header X-COPY"},
    ]);
    let (one, two) = (hash("secret-1"), hash("secret-2"));
    of(parameters, &exchange(&request("/a/secret-1/b?secret-2&x=1"), "200"), |contextual| {
        assert_eq!(contextual.path.as_str(), format!("/a/{one}/b"));
        assert_eq!(contextual.endpoint, "GET api.example/a/{hidden}/b");
        assert_eq!(contextual.query.as_ref().unwrap().as_str(), "…&x");
        assert_eq!(contextual.user_agent.as_ref().unwrap().as_str(), format!("app/1 ({two})"));
        assert_eq!(contextual.params[1].value.as_str(), format!("{one},{two}"));
        assert_eq!(contextual.session.value, Text::Clear("k".into()));
    });
}

#[test]
fn an_exchange_with_more_credentials_than_are_kept_shows_no_text() {
    let cookies = |count: usize| (0..count).map(|number| format!("sid=secret-{number:02}; ")).collect::<String>();
    let shown = |count: usize| {
        let request = format!("GET /secret-40/a\nuser-agent: secret-40\ncookie: {}", cookies(count));
        of(json!([]), &exchange(&request, "200"), |contextual| {
            let agent = contextual.user_agent.as_ref().unwrap().as_str().to_owned();
            (contextual.path.as_str().to_owned(), agent, contextual.endpoint.clone())
        })
    };
    // One decides; 32 others are kept.
    assert_eq!(shown(33).0, "/secret-40/a");
    let (path, agent, endpoint) = shown(60);
    assert_eq!((path, agent), (hash("/secret-40/a"), hash("secret-40")));
    assert_eq!(endpoint, format!("GET {}/{{hidden}}", hash("api.example")));
}

#[test]
fn what_a_hashed_parameter_covers_is_replaced_in_the_path() {
    let hidden = |point: &str, text: &str| target(json!([{"name": "a", "point": point, "hashed": true}]), text);
    let alice = hash("alice");
    let path = |point: &str, text: &str| hidden(point, text).0;
    assert_eq!(path("request > path 1", "/users/alice/orders"), format!("/users/{alice}/orders"));
    assert_eq!(
        path("request > path 1", "/users/%61lice"),
        format!("/users/{alice}"),
        "the value is decoded, so is its hash"
    );
    assert_eq!(path("request > action_name", "/users/alice"), format!("/users/{alice}"));
    assert_eq!(path("request > path 1 > capture \"u-(.*)\"", "/users/u-alice"), format!("/users/{alice}"));
    assert_eq!(
        path("request > path 1 > capture \"u-(.*)\"", "/users/other"),
        "/users/other",
        "nothing is taken from it"
    );
    assert_eq!(
        path("request > query user", "/users/alice?user=alice"),
        format!("/users/{alice}"),
        "the same value elsewhere"
    );
    assert_eq!(
        path("request > query user", "/x/alice.smith@home?user=alice.smith"),
        format!("/x/{}", hash("alice.smith"))
    );
    assert_eq!(hidden("request > path 1", "/users/alice/7").2, "GET api.example/users/{hidden}/{int}");
    let (path, query, endpoint) = hidden("request > uri", "/users/alice?a=b");
    assert_eq!((path, query), (hash("/users/alice?a=b"), None));
    assert_eq!(endpoint, "GET api.example/{hidden}");
}

#[test]
fn a_hashed_value_leaves_no_other_way() {
    let parameters = json!([
        {"name": "secret", "point": "request > body > json > property secret", "hashed": true},
        {"name": "copy", "point": "request > header X-COPY"},
        {"name": "around", "point": "request > body > json > property around"},
        {"name": "whole", "point": "request > body"},
    ]);
    let request = "POST /s3cr3t-value?s3cr3t-value\nx-copy: s3cr3t-value\nuser-agent: app/1 (s3cr3t-value)\n\
                   content-type: application/json\n\n{\"secret\":\"s3cr3t-value\",\"around\":\"<s3cr3t-value>\"}";
    of(parameters, &exchange(request, "200"), |contextual| {
        let shown = format!("{contextual:?}");
        assert!(!shown.contains("s3cr3t-value"), "{shown}");
        let hashed = hash("s3cr3t-value");
        let value = |index: usize| contextual.params[index].value.as_str();
        assert_eq!((value(0), value(1)), (hashed.as_str(), hashed.as_str()));
        assert_eq!(value(2), format!("<{hashed}>"));
        assert!(
            contextual.params[3].value.is_hashed(),
            "the body holds the secret in a way that may be spelt otherwise"
        );
        assert_eq!(contextual.user_agent.as_ref().unwrap().as_str(), format!("app/1 ({hashed})"));
    });
}

#[test]
fn metadata_that_a_hashed_parameter_covers_is_hashed_or_cut() {
    let covered = |point: &str| {
        let mut exchange = exchange(
            "GET /\nuser-agent: a\ntraceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "200",
        );
        exchange.fingerprints.ja4 = Some("t13d1516h2_8daaf6152771_b186095e22b6".into());
        of(json!([{"name": "a", "point": point, "hashed": true}]), &exchange, |contextual| {
            let is_hashed = |text: &Option<Text<'_>>| text.as_ref().is_some_and(Text::is_hashed);
            [
                is_hashed(&contextual.host),
                is_hashed(&contextual.user_agent),
                contextual.client_ip.is_none(),
                is_hashed(&contextual.ja4),
                contextual.trace_id.is_none(),
            ]
        })
    };
    assert_eq!(covered("request > query a"), [false; 5]);
    assert_eq!(covered("request > host"), [true, false, false, false, false]);
    assert_eq!(covered("request > header USER-AGENT"), [false, true, false, false, false]);
    assert_eq!(covered("request > remote_addr"), [false, false, true, false, false]);
    assert_eq!(covered("request > ja4"), [false, false, false, true, false]);
    assert_eq!(covered("request > header TRACEPARENT"), [false, false, false, false, true]);
}

#[test]
fn path_parameters_and_tokens_are_cut() {
    let path = |text: &str| target(json!([]), text).0;
    assert_eq!(path("/a;jsessionid=ABC/b"), "/a;jsessionid=…/b");
    assert_eq!(path("/a;v=1;w;=x"), "/a;v=…;w;=…");
    assert_eq!(path("/a%3Bjsessionid=ABC"), "/a;jsessionid=…");
    assert_eq!(path("/a%41%3bb=c;d%3B%41e=f"), "/a%41;b=…;d;%41e=…");
    let many = ";".repeat(8180);
    assert_eq!(path(&format!("/{many}%41")), format!("/{many}%41"));
    let token = jwt(json!({"sub": "42"}));
    assert_eq!(target(json!([]), &format!("/verify/{token}")).0, "/verify/…");
    assert_eq!(target(json!([]), &format!("/verify/{token}")).2, "GET api.example/verify/{hidden}");
    assert_eq!(target(json!([]), &format!("/?{token}")).1.unwrap(), "…");
    assert_eq!(target(json!([]), &format!("/verify/{}", &token[..30])).0, "/verify/…", "cut short by the client");
}

#[test]
fn what_the_built_in_set_found_is_hashed_wherever_it_appears() {
    let exchange = exchange("GET /sessions/v-1234567\ncookie: sid=v-1234567", "200");
    of(json!([]), &exchange, |contextual| {
        assert_eq!(contextual.session.value, Text::Hashed(secret_hash("v-1234567")));
        assert_eq!(contextual.path.as_str(), format!("/sessions/{}", hash("v-1234567")));
        assert_eq!(contextual.session.key, "cookie sid");
    });
}

#[test]
fn a_tokens_subject_is_hashed_in_the_path_and_makes_no_endpoint_of_its_own() {
    let path = |subject: &str| {
        let token = jwt(json!({"iss": "users", "sub": subject}));
        let exchange = exchange(&format!("GET /users/{subject}/orders\nauthorization: Bearer {token}"), "200");
        of(json!([]), &exchange, |contextual| (contextual.path.as_str().to_owned(), contextual.endpoint.clone()))
    };
    for (subject, endpoint) in [
        ("4711", "GET api.example/users/{int}/orders"),
        ("alice", "GET api.example/users/{hidden}/orders"),
        ("user-4711", "GET api.example/users/{hidden}/orders"),
    ] {
        assert_eq!(path(subject), (format!("/users/{}/orders", hash(subject)), endpoint.to_owned()));
    }
}

fn secret_hash(value: &str) -> threadline_grouping::HashText {
    support::secret().parameter_key().hash(&[value])
}

#[test]
fn fallbacks_are_shown_by_what_is_exported_anyway() {
    let shown = |parameters: Value| {
        of(parameters, &exchange("GET /\nuser-agent: curl/8", "200"), |contextual| {
            let session = &contextual.session;
            (session.key.to_owned(), session.value.as_str().to_owned())
        })
    };
    assert_eq!(shown(json!([])), ("address and user agent".into(), "203.0.113.7 curl/8".into()));
    let hidden = shown(json!([{"name": "a", "point": "request > remote_addr", "hashed": true}]));
    assert_eq!(hidden.1, "… curl/8");
}

#[test]
fn hosts_methods_and_long_texts_have_one_form() {
    let mut exchange = exchange(&format!("GET /\nuser-agent: {}", "a".repeat(5000)), "200");
    let host = |exchange: &Exchange| {
        of(json!([]), exchange, |contextual| contextual.host.as_ref().map(|host| host.as_str().to_owned()))
    };
    for (sent, scheme, expected) in [
        ("API.Example:443", Some(Scheme::Https), Some("api.example")),
        ("api.example:80", Some(Scheme::Http), Some("api.example")),
        ("api.example:80", Some(Scheme::Https), Some("api.example:80")),
        ("api.example:443", None, Some("api.example:443")),
        ("user:password@api.example", None, Some("api.example")),
        ("[2001:DB8::1]:443", Some(Scheme::Https), Some("[2001:db8::1]")),
        ("", None, None),
    ] {
        exchange.request.host = Some(CapturedText::new(sent));
        exchange.request.scheme = scheme;
        assert_eq!(host(&exchange).as_deref(), expected, "{sent}");
    }
    exchange.request.host = None;
    of(json!([]), &exchange, |contextual| {
        assert_eq!((contextual.host.is_none(), contextual.endpoint.as_str()), (true, "GET /"));
        assert_eq!(contextual.user_agent.as_ref().unwrap().as_str().len(), 1024 + "…".len());
    });
    for (sent, expected) in
        [("PATCH", "PATCH"), ("m-search", "m-search"), ("G\x1bT", "OTHER"), ("", "OTHER"), (&"A".repeat(33), "OTHER")]
    {
        exchange.request.method = CapturedText::new(sent.as_bytes().to_vec());
        assert_eq!(of(json!([]), &exchange, |contextual| contextual.method.to_owned()), expected);
    }
    let (path, _, endpoint) = target(json!([]), &format!("/{}", "segment/".repeat(2000)));
    assert!(path.len() <= 8 * 1024 + "…".len() && path.ends_with("/…"), "{}", path.len());
    assert!(endpoint.ends_with("/segment/{more}"), "{endpoint}");
}

#[test]
fn paths_have_templates() {
    for (path, expected) in [
        ("/", "GET api.example/"),
        ("/users/42/orders/", "GET api.example/users/{int}/orders/"),
        ("/users//42", "GET api.example/users//{int}"),
        ("/a;v=1/42;w", "GET api.example/a/{int}"),
        ("*", "GET api.example*"),
        ("/%ff/x", "GET api.example/{text}/x"),
    ] {
        assert_eq!(target(json!([]), path).2, expected, "{path}");
    }
}

#[test]
fn trace_ids_are_those_of_valid_headers() {
    let trace = |header: &str| {
        let exchange = exchange(&format!("GET /\ntraceparent: {header}"), "200");
        of(json!([]), &exchange, |contextual| contextual.trace_id.map(str::to_owned))
    };
    let id = "0af7651916cd43dd8448eb211c80319c";
    let valid = format!("00-{id}-b7ad6b7169203331-01");
    assert_eq!(trace(&valid).as_deref(), Some(id));
    assert_eq!(trace(&format!("cc-{id}-b7ad6b7169203331-01-what-the-future-brings")).as_deref(), Some(id));
    for wrong in [
        "".to_owned(),
        format!("ff-{id}-b7ad6b7169203331-01"),
        format!("{valid}-more"),
        format!("cc{}", &valid[2..]) + "x",
        valid.to_uppercase(),
        valid.replace(id, &"0".repeat(32)),
        valid.replace("b7ad6b7169203331", &"0".repeat(16)),
        valid[..54].to_owned(),
        valid.replace('-', "_"),
    ] {
        assert_eq!(trace(&wrong), None, "{wrong}");
    }
}

#[test]
fn a_trace_id_that_is_a_secret_is_left_out() {
    let id = "0af7651916cd43dd8448eb211c80319c";
    let trace = |request: &str, parameters: Value| {
        let exchange = exchange(&format!("GET /\ntraceparent: 00-{id}-b7ad6b7169203331-01\n{request}"), "200");
        of(parameters, &exchange, |contextual| contextual.trace_id.map(str::to_owned))
    };
    assert_eq!(trace("cookie: sid=other-value", json!([])).as_deref(), Some(id));
    assert_eq!(trace(&format!("cookie: sid={id}"), json!([])), None);
    assert_eq!(trace("cookie: sid=4bf9; session=7651916cd43dd84", json!([])), None, "nor one that holds a secret");
    let hashed = json!([{"name": "a", "point": "request > header X-A", "hashed": true}]);
    assert_eq!(trace(&format!("x-a: {id}"), hashed), None);
}

#[test]
fn parsers_that_stopped_are_named_once_and_without_text() {
    let parameters = json!([{"name": "a", "point": "request > body > json > property a"}]);
    let exchange = exchange("POST /\ncontent-type: application/json\n\n{\"canary\": canary}", "200");
    of(parameters, &exchange, |contextual| {
        let [error] = &contextual.parse_errors[..] else { panic!("{:?}", contextual.parse_errors) };
        assert_eq!((error.part.as_str(), error.parser), ("request body", "json"));
        assert!(!format!("{error:?}").contains("canary"));
    });
}

proptest! {
    #[test]
    fn any_target_is_exported_bounded_and_without_its_secret(target in "[ -~]{0,60}", secret in "[a-z]{8}", at in 0_usize..60) {
        let at = at.min(target.len());
        let target = [&target[..at], &secret, &target[at..]].concat();
        let mut exchange = exchange(&format!("GET /\nx-secret: {secret}"), "200");
        exchange.request.target = CapturedText::new(target.clone().into_bytes());
        let parameters = json!([{"name": "s", "point": "request > header X-SECRET", "hashed": true}]);
        let shown = of(parameters, &exchange, |contextual| format!("{contextual:?}"));
        prop_assert!(!shown.contains(&secret), "{}: {}", target, shown);
    }
}
