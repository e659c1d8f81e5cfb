//! What a request asks for, as it leaves the node: operations of GraphQL, MCP, SOAP, gRPC, WebSocket.
#![allow(clippy::unwrap_used)]

mod support;

use serde_json::{Value, json};
use support::{exchange, hash, policy, select};
use threadline_context::Contextual;
use threadline_model::{CapturedBody, Exchange, Outcome};
use threadline_points::Protocol;

fn of<T>(parameters: Value, exchange: &Exchange, look: impl FnOnce(&Contextual<'_>) -> T) -> T {
    select(&policy(parameters), exchange, look)
}

/// Protocol, operation and what follows the path's template in the endpoint.
fn spoken(exchange: &Exchange) -> (Protocol, Option<String>, String) {
    of(json!([]), exchange, |contextual| {
        let mut words = contextual.endpoint.splitn(3, ' ');
        let after = words.nth(2).unwrap_or_default().to_owned();
        (contextual.protocol, contextual.operation.clone(), after)
    })
}

const JSON: &str = "content-type: application/json";

fn post(path: &str, body: &Value) -> Exchange {
    exchange(&format!("POST {path}\n{JSON}\n\n{body}"), "200")
}

#[test]
fn protocols_are_told_by_the_head() {
    for (request, response, expected) in [
        ("GET /", "200", Protocol::Rest),
        ("POST /graphql", "200", Protocol::Graphql),
        ("GET /api/GraphQL/?query=x", "200", Protocol::Graphql),
        ("POST /v1/gql", "200", Protocol::Graphql),
        ("POST /x\ncontent-type: application/graphql", "200", Protocol::Graphql),
        ("POST /graphqlx", "200", Protocol::Rest),
        ("POST /s\ncontent-type: application/soap+xml; charset=utf-8", "200", Protocol::Soap),
        ("POST /s\ncontent-type: text/xml\nsoapaction: \"urn:x\"", "200", Protocol::Soap),
        ("POST /shop.v1.Orders/Get\ncontent-type: application/grpc+proto", "200", Protocol::Grpc),
        ("POST /mcp\nmcp-session-id: 1", "200", Protocol::Mcp),
        ("POST /mcp\nmcp-protocol-version: 2025-06-18", "200", Protocol::Mcp),
        ("POST /mcp", "200\nmcp-session-id: 1", Protocol::Mcp),
        ("GET /ws\nupgrade: WebSocket", "101", Protocol::Websocket),
    ] {
        assert_eq!(spoken(&exchange(request, response)).0, expected, "{request}");
    }
    let upgraded = Exchange { outcome: Outcome::Upgraded, ..exchange("GET /ws", "101") };
    assert_eq!(spoken(&upgraded).0, Protocol::Websocket);
}

#[test]
fn operations_of_graphql_have_their_type_and_name() {
    let query = "query Profile { profile { id } }";
    for (body, operation, endpoint) in [
        (json!({"query": query}), "query Profile", "query Profile"),
        (json!({"query": "{ profile { id } }"}), "query { profile }", "query { profile }"),
        (
            json!({"query": "mutation { me: login(pin: 1) }", "operationName": null}),
            "mutation { login }",
            "mutation { login }",
        ),
        (json!({"query": "subscription S { s }", "operationName": ""}), "subscription S", "subscription S"),
        (json!({"query": "query A { a } mutation B { b }", "operationName": "B"}), "mutation B", "mutation B"),
        (json!({"query": "query A { a } query B { b }"}), "query A", "query A"),
        (json!({"query": "query { ...F } fragment F on Query { a }"}), "query", "query"),
        // Persisted: what it does is not known.
        (json!({"operationName": "Profile", "extensions": {"persistedQuery": {"version": 1}}}), "Profile", "Profile"),
        (json!([{"query": query}, {"query": "{ a }"}, {"query": "{ b }"}]), "query Profile +2", "query Profile"),
        (json!([{"query": "{ a }"}]), "query { a }", "query { a }"),
        (json!([{"operationName": "A"}, {"query": query}]), "A +1", "A"),
        // A name that is made anew each time makes no endpoint of its own.
        (json!({"query": "query Q_20451 { a }"}), "query Q_20451", "query Q_{int}"),
        (
            json!({"query": "query a9f86d081884c7d659a2feaa0c55ad015 { a }"}),
            "query a9f86d081884c7d659a2feaa0c55ad015",
            "query {hex}",
        ),
        (json!({"query": format!("query {} {{ a }}", "A".repeat(129))}), "query", "query"),
    ] {
        let found = spoken(&post("/graphql", &body));
        assert_eq!(found, (Protocol::Graphql, Some(operation.to_owned()), endpoint.to_owned()), "{body}");
    }
    let none = [json!({"query": "query ("}), json!({"a": 1}), json!({"operationName": "a b"}), json!([])];
    for body in none {
        assert_eq!(spoken(&post("/graphql", &body)), (Protocol::Graphql, None, String::new()), "{body}");
    }
}

#[test]
fn operations_of_graphql_stand_in_queries_documents_and_files_too() {
    let multipart = "POST /graphql\ncontent-type: multipart/form-data; boundary=b\n\n\
                     --b\r\nContent-Disposition: form-data; name=\"operations\"\r\n\r\n\
                     {\"query\":\"mutation Upload($f: File) { up(f: $f) }\"}\r\n--b--\r\n";
    for (request, operation) in [
        ("GET /graphql?query=query+Q{a}", Some("query Q")),
        ("GET /graphql?operationName=B&query=query+A{a}query+B{b}", Some("query B")),
        ("GET /graphql?query={a}", Some("query { a }")),
        ("GET /graphql", None),
        ("POST /x\ncontent-type: application/graphql\n\nmutation M { a }", Some("mutation M")),
        (multipart, Some("mutation Upload")),
    ] {
        assert_eq!(spoken(&exchange(request, "200")).1.as_deref(), operation, "{request}");
    }
}

#[test]
fn operations_are_read_in_cut_bodies() {
    let mut cut = post("/graphql", &json!({}));
    cut.request.body = CapturedBody::prefix("{\"query\":\"query Profile { profile(x: ");
    assert_eq!(spoken(&cut).1.as_deref(), Some("query Profile"));
    cut.request.body = CapturedBody::prefix("[{\"query\":\"{ a }\"},{\"query\":\"{");
    assert_eq!(spoken(&cut).1.as_deref(), Some("query { a } +1"));
    cut.request.body = CapturedBody::not_captured();
    assert_eq!(spoken(&cut).1, None);
}

#[test]
fn methods_of_mcp_have_the_primitive_they_are_about() {
    let call = |method: &str, params: Value| json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    for (body, operation) in [
        (call("tools/call", json!({"name": "search", "arguments": {"q": "secret"}})), Some("tools/call search")),
        (call("prompts/get", json!({"name": "code.review"})), Some("prompts/get code.review")),
        (call("resources/read", json!({"uri": "FILE:///home/ada/secret"})), Some("resources/read file:")),
        (call("resources/read", json!({"uri": "no scheme"})), Some("resources/read")),
        (call("tools/list", json!({"name": "not asked for"})), Some("tools/list")),
        (call("tools/call", json!({"name": "two words"})), Some("tools/call")),
        (call("tools/call", json!({"name": "a".repeat(129)})), Some("tools/call")),
        (call("no method", json!({})), None),
        (json!({"jsonrpc": "1.0", "method": "tools/list"}), None),
        // An answer of the client has no method.
        (json!({"jsonrpc": "2.0", "id": 1, "result": {}}), None),
        (json!([call("tools/call", json!({"name": "a"})), call("ping", json!({}))]), Some("tools/call a +1")),
    ] {
        let request = format!("POST /mcp\nmcp-session-id: 1\n{JSON}\n\n{body}");
        let (protocol, found, endpoint) = spoken(&exchange(&request, "200"));
        assert_eq!((protocol, found.as_deref()), (Protocol::Mcp, operation), "{body}");
        assert_eq!(endpoint, operation.unwrap_or_default().trim_end_matches(" +1"), "{body}");
    }
    assert_eq!(spoken(&exchange("GET /mcp\nmcp-session-id: 1", "200")).1, None);
}

#[test]
fn a_session_of_mcp_begins_with_a_request_that_only_its_body_tells() {
    let accept = "accept: application/json, text/event-stream";
    let body = |method: &str| json!({"jsonrpc": "2.0", "id": 0, "method": method, "params": {}});
    for (head, body, expected) in [
        (format!("POST /mcp\n{JSON}\n{accept}"), body("initialize"), (Protocol::Mcp, Some("initialize"))),
        (format!("POST /mcp\n{JSON}\n{accept}"), body("eth_call"), (Protocol::Rest, None)),
        (format!("POST /mcp\n{JSON}\n{accept}"), json!({"stream": true}), (Protocol::Rest, None)),
        (format!("POST /mcp\n{JSON}"), body("initialize"), (Protocol::Rest, None)),
        (format!("PUT /mcp\n{JSON}\n{accept}"), body("initialize"), (Protocol::Rest, None)),
    ] {
        let (protocol, operation, _) = spoken(&exchange(&format!("{head}\n\n{body}"), "200"));
        assert_eq!((protocol, operation.as_deref()), expected, "{head} {body}");
    }
}

#[test]
fn methods_of_soap_are_the_last_part_of_the_action_or_the_first_tag_of_the_body() {
    let envelope = "<s:Envelope xmlns:s=\"urn:s\"><s:Header><t>secret</t></s:Header>\
                    <s:Body><!-- c --><o:GetPrice xmlns:o=\"urn:o\"><id>7</id></o:GetPrice></s:Body></s:Envelope>";
    let soap = "POST /s\ncontent-type: application/soap+xml; charset=utf-8";
    for (request, operation) in [
        (
            "POST /s\ncontent-type: text/xml\nsoapaction: \"http://shop.example/orders#PlaceOrder\"".to_owned(),
            Some("PlaceOrder"),
        ),
        ("POST /s\ncontent-type: text/xml\nsoapaction: urn:shop:GetPrice".to_owned(), Some("GetPrice")),
        ("POST /s\ncontent-type: text/xml\nsoapaction: \"\"".to_owned(), None),
        ("POST /s\ncontent-type: text/xml\nsoapaction: \"x/9a\"".to_owned(), None),
        ("POST /s\ncontent-type: text/xml\nsoapaction: \"x/a b\"".to_owned(), None),
        (format!("{soap}; Action=\"http://shop.example/PlaceOrder\""), Some("PlaceOrder")),
        (soap.to_owned(), None),
        // Without an action, the first tag in the body.
        (format!("{soap}\n\n{envelope}"), Some("GetPrice")),
        (format!("POST /s\ncontent-type: text/xml\nsoapaction: \"\"\n\n{envelope}"), Some("GetPrice")),
        (format!("{soap}\n\n<s:Envelope><s:Body><o:Get"), None),
    ] {
        let (protocol, found, endpoint) = spoken(&exchange(&request, "200"));
        assert_eq!((protocol, found.as_deref()), (Protocol::Soap, operation), "{request}");
        assert_eq!(endpoint, operation.unwrap_or_default());
    }
}

#[test]
fn calls_of_grpc_are_their_path_and_websockets_have_known_subprotocols_only() {
    let call = exchange("POST /shop.v1.Orders/Get\ncontent-type: application/grpc", "200");
    assert_eq!(spoken(&call), (Protocol::Grpc, Some("shop.v1.Orders/Get".to_owned()), String::new()));
    for (chosen, operation) in [("graphql-transport-ws", Some("graphql-transport-ws")), ("eyJhbGciOi", None)] {
        let request = format!("GET /ws\nupgrade: websocket\nsec-websocket-protocol: {chosen}");
        let response = format!("101\nsec-websocket-protocol: {chosen}");
        assert_eq!(spoken(&exchange(&request, &response)).1.as_deref(), operation);
    }
}

#[test]
fn a_secret_is_no_operation() {
    // The session cookie's value as the name of an operation, and of a tool.
    let request = |body: Value| {
        let head = format!("POST /graphql\n{JSON}\nmcp-session-id: 1\ncookie: sid=Canary4bf92f35");
        exchange(&format!("{head}\n\n{body}"), "200")
    };
    let query = json!({"query": "query Canary4bf92f35 { a }"});
    assert_eq!(spoken(&request(query)), (Protocol::Graphql, Some("query".to_owned()), "query".to_owned()));
    let within = json!({"query": "query QCanary4bf92f35 { a }"});
    assert_eq!(spoken(&request(within)).1.as_deref(), Some("query"));
    let persisted = json!({"operationName": "Canary4bf92f35"});
    assert_eq!(spoken(&request(persisted)), (Protocol::Graphql, None, String::new()));
    // A hashed parameter that takes its value from there.
    let hashed = json!([{"name": "a", "point": "request > body > json > property operationName", "hashed": true}]);
    let chosen = post("/graphql", &json!({"operationName": "Secretive", "query": "query Secretive { a }"}));
    of(hashed, &chosen, |contextual| {
        assert_eq!(contextual.operation.as_deref(), Some("query"));
        assert_eq!(contextual.params[0].value.as_str(), hash("Secretive"));
        assert!(!format!("{contextual:?}").contains("Secretive"));
    });
    // A token by its shape.
    let token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln";
    let call = json!({"jsonrpc": "2.0", "method": "tools/call", "params": {"name": token}});
    let call = exchange(&format!("POST /mcp\nmcp-session-id: 1\n{JSON}\n\n{call}"), "200");
    assert_eq!(spoken(&call).1.as_deref(), Some("tools/call"));
}

#[test]
fn rest_is_told_without_its_body() {
    // A body that would be GraphQL, had the head said so.
    let found = spoken(&post("/orders", &json!({"query": "query Profile { profile }"})));
    assert_eq!(found, (Protocol::Rest, None, String::new()));
}
