//! One token, returned by a login, groups with later requests that carry it in every format that points can open:
//! through the real binary with a real upstream, bodies sent whole and in pieces, and from a recording.
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Bytes;
use serde_json::{Value, json};
use support::Threadline;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const TOKEN: &str = "token-4217";

/// A key, and a request that only this key groups.
struct Format {
    name: &'static str,
    point: &'static str,
    target: String,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

fn format(name: &'static str, point: &'static str, kind: &str, body: impl Into<Vec<u8>>) -> Format {
    let target = format!("/{}", name.replace(' ', "-"));
    Format { name, point, target, headers: vec![("content-type", kind.to_owned())], body: body.into() }
}

/// A field of Protocol Buffers that has a length.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2, bytes.len() as u8][..], bytes].concat()
}

fn formats() -> Vec<Format> {
    let inner = STANDARD.encode(json!({ "token": TOKEN }).to_string());
    let claims = URL_SAFE_NO_PAD.encode(json!({ "data": inner }).to_string());
    let message = field(1, &field(2, TOKEN.as_bytes()));
    let state = [&[0xff, 0x01, 0x0f, 0x05, TOKEN.len() as u8], TOKEN.as_bytes(), &[0x64]].concat();
    let query = format!("mutation Pay {{ first: pay(token: \"{TOKEN}\") {{ id }} }}");
    let variables = json!({"query": "query Cart($t: String) { cart(token: $t) { id } }", "variables": {"t": TOKEN}});
    vec![
        format(
            "soap",
            "request > body > xml > property Envelope > property Body > property Order > attribute token",
            "text/xml; charset=utf-8",
            format!(
                "<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>\
                 <Order token=\"{TOKEN}\"><item>1</item></Order></s:Body></s:Envelope>"
            ),
        ),
        format(
            "multipart",
            "request > body > multipart token",
            "multipart/form-data; boundary=AaB03x",
            format!("--AaB03x\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\n{TOKEN}\r\n--AaB03x--\r\n"),
        ),
        format(
            "graphql argument",
            "request > body > graphql > mutation > all > field pay > argument token",
            "application/json",
            json!({ "query": query }).to_string(),
        ),
        format(
            "graphql variable",
            "request > body > graphql > query Cart > field cart > argument token",
            "application/json",
            variables.to_string(),
        ),
        format(
            "protobuf",
            "request > body > protobuf > property 1 > property 2",
            "application/x-protobuf",
            message.clone(),
        ),
        format(
            "grpc",
            "request > body > grpc > property 1 > property 2",
            "application/grpc",
            [&[0][..], &(message.len() as u32).to_be_bytes(), &message].concat(),
        ),
        format(
            "viewstate",
            "request > body > form > property __VIEWSTATE > viewstate > index 0",
            "application/x-www-form-urlencoded",
            format!("__VIEWSTATE={}", STANDARD.encode(state).replace('+', "%2B")),
        ),
        format(
            "several",
            "request > body > json > property items > index > all > property token",
            "application/json",
            json!({"items": [{"id": 1}, {"token": TOKEN}]}).to_string(),
        ),
        Format {
            name: "nested",
            point: "request > header COOKIE > cookie auth > jwt payload > property data > base64 > json > property token",
            target: "/nested".to_owned(),
            headers: vec![("cookie", format!("theme=dark; auth=eyJhbGciOiJub25lIn0.{claims}.c2ln"))],
            body: Vec::new(),
        },
        Format {
            name: "htmljs",
            point: "request > query page > htmljs > capture id=(.*)$",
            target: format!("/htmljs?page=%26lt%3Bid%3D{}", TOKEN.replace('-', "%5Cu002d")),
            headers: Vec::new(),
            body: Vec::new(),
        },
    ]
}

fn parameters(formats: &[Format]) -> Value {
    let login =
        json!({"name": "login", "point": "response > body > json > property token", "group": true, "hashed": false});
    let keys = formats.iter().map(|one| json!({"name": one.name, "point": one.point, "group": true, "hashed": false}));
    std::iter::once(login).chain(keys).collect()
}

/// Sends a request whose body comes in chunks of a few bytes, each in a write of its own.
async fn in_pieces(proxy: &str, format: &Format) {
    let mut stream = tokio::net::TcpStream::connect(proxy.strip_prefix("http://").unwrap()).await.unwrap();
    let mut head = format!("POST {} HTTP/1.1\r\nhost: shop.example\r\nconnection: close\r\n", format.target);
    for (name, value) in &format.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("transfer-encoding: chunked\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    for piece in format.body.chunks(5) {
        let chunk = [format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat();
        stream.write_all(&chunk).await.unwrap();
        stream.flush().await.unwrap();
    }
    stream.write_all(b"0\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

/// The session that holds so many requests, as key by path.
async fn keys_of(threadline: &Threadline, range: &str, requests: usize) -> BTreeMap<String, Vec<String>> {
    let list = threadline
        .wait_for(&format!("/sessions?{range}"), |list| {
            list["sessions"].as_array().unwrap().iter().any(|session| session["requests"] == requests)
        })
        .await;
    assert_eq!(list["total"], 1, "every request is in one session: {list}");
    let id = list["sessions"][0]["session_id"].as_str().unwrap();
    let page = threadline.get(&format!("/sessions/{id}/exchanges?{range}&limit=100")).await;
    let mut keys: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for exchange in page["exchanges"].as_array().unwrap() {
        let key = exchange["session_key"].as_str().unwrap().to_owned();
        keys.entry(exchange["path"].as_str().unwrap().to_owned()).or_default().push(key);
    }
    keys
}

#[tokio::test]
async fn a_token_is_found_in_every_format_whole_and_in_pieces() {
    let upstream = support::upstream(|request, _| {
        let body =
            if request.uri().path() == "/login" { format!("{{\"token\":\"{TOKEN}\"}}") } else { "{}".to_owned() };
        Response::builder().header("content-type", "application/json").body(Full::new(Bytes::from(body))).unwrap()
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let threadline = Threadline::start(folder.path(), "serve", &["--upstream", &upstream]).await;
    let formats = formats();
    threadline.put_parameters(parameters(&formats)).await;

    threadline.through_proxy(Request::builder().method("POST").uri("/login"), "").await;
    for format in &formats {
        let mut request = Request::builder().method("POST").uri(&*format.target);
        for (name, value) in &format.headers {
            request = request.header(*name, value);
        }
        threadline.through_proxy(request, &format.body).await;
        in_pieces(threadline.proxy.as_deref().unwrap(), format).await;
    }
    let keys = keys_of(&threadline, "last=1h", 1 + 2 * formats.len()).await;
    for format in &formats {
        let path = format.target.split('?').next().unwrap();
        assert_eq!(keys[path], [format.name, format.name]);
    }
    threadline.stop().await;
}

/// An entry of a HAR file; binary bodies are not recorded by browsers.
fn entry(method: &str, format: &Format, answer: &str) -> Value {
    let headers: Vec<Value> =
        format.headers.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
    let mut entry = json!({
        "startedDateTime": "2019-03-05T10:00:01.000Z", "time": 1,
        "request": {"method": method, "url": format!("https://shop.example{}", format.target),
                    "httpVersion": "HTTP/1.1", "headers": headers, "queryString": [], "cookies": []},
        "response": {"status": 200, "statusText": "OK", "httpVersion": "HTTP/1.1", "headers": [], "cookies": [],
                     "content": {"size": answer.len(), "mimeType": "application/json", "text": answer}},
        "cache": {}, "timings": {"send": 0, "wait": 1, "receive": 0},
    });
    if !format.body.is_empty() {
        let kind = &format.headers[0].1;
        entry["request"]["postData"] =
            json!({"mimeType": kind, "text": String::from_utf8(format.body.clone()).unwrap()});
    }
    entry
}

fn run(folder: &Path, arguments: &[&str]) {
    let output = Command::new(env!("CARGO_BIN_EXE_threadline")).current_dir(folder).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn a_token_is_found_in_every_format_of_a_recording() {
    let folder = tempfile::tempdir().unwrap();
    let formats = formats();
    let texts: Vec<&Format> = formats.iter().filter(|format| !matches!(format.name, "protobuf" | "grpc")).collect();
    let login = format("login", "request > method", "application/json", "{}");
    let mut entries = vec![entry("POST", &login, &json!({ "token": TOKEN }).to_string())];
    entries.extend(texts.iter().map(|format| entry("POST", format, "{}")));
    let recording = json!({"log": {"version": "1.2", "creator": {"name": "test", "version": "1"}, "entries": entries}});
    std::fs::write(folder.path().join("recording.har"), recording.to_string()).unwrap();
    let configuration = json!({ "policy": { "parameters": parameters(&formats) } });
    std::fs::write(folder.path().join("threadline.yaml"), configuration.to_string()).unwrap();
    run(folder.path(), &["import", "har", "recording.har", "--config", "threadline.yaml", "--data", "data"]);

    let threadline = Threadline::start(folder.path(), "serve", &[]).await;
    let range = "from=2019-03-05T00:00:00Z&to=2019-03-06T00:00:00Z";
    let keys = keys_of(&threadline, range, 1 + texts.len()).await;
    for format in texts {
        let path = format.target.split('?').next().unwrap();
        assert_eq!(keys[path], [format.name]);
    }
    threadline.stop().await;
}
