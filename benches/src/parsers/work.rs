//! How the cost of a parser grows with what it is given: instructions, counted by valgrind, per byte of the worst
//! inputs that are known, at 16, 64 and 256 KiB. A cost that grows with the square of the size shows as 16.

use std::hint::black_box;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use threadline_points::{Bounds, Plan, Point, Scratch};

use super::messages::{Place, exchange};
use crate::table::{Budget, Figure, Table};

/// Tells a child what to extract from: shape, size, how often.
const TASK: &str = "THREADLINE_BENCH_WORK";

const SIZES: [usize; 3] = [16 * 1024, 64 * 1024, 256 * 1024];

const JSON: Place = Place::Body("application/json");
const FORM: Place = Place::Body("application/x-www-form-urlencoded");
const XML: Place = Place::Body("text/xml");
const MULTIPART: Place = Place::Body("multipart/form-data; boundary=bbbbbbbbbbbbbbbb");
const GRAPHQL: Place = Place::Body("application/graphql");
const BINARY: Place = Place::Body("application/octet-stream");
const TEXT: Place = Place::Body("text/plain");

/// A family of inputs, one for each size.
struct Shape {
    name: &'static str,
    place: Place,
    points: &'static [&'static str],
    make: fn(usize) -> Vec<u8>,
}

fn repeated(start: &str, unit: &str, end: &str, size: usize) -> Vec<u8> {
    let times = size.saturating_sub(start.len() + end.len()) / unit.len();
    [start, &unit.repeat(times), end].concat().into_bytes()
}

/// Documents inside each other, as deep as the bound allows, again and again.
fn nested(open: &str, close: &str, between: &str, depth: usize, size: usize) -> String {
    let one = [&open.repeat(depth), &close.repeat(depth), between].concat();
    one.repeat(size / one.len() + 1)
}

const JSON_POINTS: &[&str] = &[
    "request > body > json > property a",
    "request > body > json > property a > property a > property a",
    "request > body > json > property > all",
    "request > body > json > property > names",
    "request > body > json > index > all > index > all > property a",
    "request > body > json > index 40000",
    "request > body > json > index > all > joined",
];
const FORM_POINTS: &[&str] = &[
    "request > body > form > property a",
    "request > body > form > property a > property a > property a",
    "request > body > form > property a > index 40000",
    "request > body > form > property a > joined",
    "request > body > form > all",
    "request > body > form > names",
    "request > body > form > property a > index > all",
];
const XML_POINTS: &[&str] = &[
    "request > body > xml > property a",
    "request > body > xml > property a > property a > attribute a",
    "request > body > xml > property a > property a > index > all > property a",
    "request > body > xml > property a > property > all",
    "request > body > xml > property a > property > names",
];
const MULTIPART_POINTS: &[&str] = &[
    "request > body > multipart a",
    "request > body > multipart a > joined",
    "request > body > multipart > all",
    "request > body > multipart > names",
];
const GRAPHQL_POINTS: &[&str] = &[
    "request > body > graphql > query a > field a > argument a",
    "request > body > graphql > query a > field a > field a > argument a > property a",
    "request > body > graphql > query a > variable a",
    "request > body > graphql > query > all > field a > argument a",
    "request > body > graphql > fragment > property a > field a > argument a",
];
const PROTOBUF_POINTS: &[&str] = &[
    "request > body > protobuf > property 1",
    "request > body > protobuf > property 1 > property 1 > property 1",
    "request > body > protobuf > property > all",
    "request > body > protobuf > property 1 > index > all",
];
const GRPC_POINTS: &[&str] =
    &["request > body > grpc > property 1", "request > body > grpc > index > all > property 1"];
const VIEWSTATE_POINTS: &[&str] =
    &["request > body > viewstate > index 0 > index 0", "request > body > viewstate > index > all"];
const HTMLJS_POINTS: &[&str] = &["request > body > htmljs"];
const COOKIE_POINTS: &[&str] = &[
    "request > header COOKIE > cookie a",
    "request > header COOKIE > cookie b > joined",
    "request > header COOKIE > cookie > all",
    "request > header COOKIE > cookie > names > joined",
];
const TOKEN_POINTS: &[&str] = &[
    "request > header AUTHORIZATION > jwt payload > property sub",
    "request > header AUTHORIZATION > jwt > all",
    "request > header AUTHORIZATION > bearer > trim > lower",
    "request > header AUTHORIZATION > capture (a*)*b$",
];

const SHAPES: &[Shape] = &[
    Shape {
        name: "json: arrays inside each other",
        place: JSON,
        points: JSON_POINTS,
        make: |size| format!("[{}1]", nested("[", "]", ",", 100, size)).into_bytes(),
    },
    Shape {
        name: "json: objects inside each other",
        place: JSON,
        points: JSON_POINTS,
        make: |size| format!("[{}1]", nested("{\"a\":", "}", ",", 100, size).replace(":}", ":1}")).into_bytes(),
    },
    Shape {
        name: "json: one name again and again",
        place: JSON,
        points: JSON_POINTS,
        make: |size| repeated("{", "\"a\":{\"a\":1},", "\"a\":1}", size),
    },
    Shape {
        name: "json: short elements",
        place: JSON,
        points: JSON_POINTS,
        make: |size| repeated("[", "1,", "1]", size),
    },
    Shape {
        name: "json: escapes",
        place: JSON,
        points: JSON_POINTS,
        make: |size| repeated("[\"", "\\u0041", "\"]", size),
    },
    Shape {
        name: "json: names in escapes",
        place: JSON,
        points: JSON_POINTS,
        make: |size| repeated("{", "\"\\u0061\":1,", "\"a\":1}", size),
    },
    Shape { name: "form: short fields", place: FORM, points: FORM_POINTS, make: |size| repeated("", "a&", "a", size) },
    Shape {
        name: "form: brackets inside each other",
        place: FORM,
        points: FORM_POINTS,
        make: |size| repeated("a", "[a]", "=1", size),
    },
    Shape {
        name: "form: repeated names without numbers",
        place: FORM,
        points: FORM_POINTS,
        make: |size| repeated("", "a[]=1&", "a[]=1", size),
    },
    Shape {
        name: "form: brackets that do not pair",
        place: FORM,
        points: FORM_POINTS,
        make: |size| repeated("a", "[", "=1", size),
    },
    Shape { name: "form: percent", place: FORM, points: FORM_POINTS, make: |size| repeated("a=", "%61", "", size) },
    Shape {
        name: "query: short fields",
        place: Place::Query,
        points: &["request > query a", "request > query > names > joined", "request > query a > joined"],
        make: |size| repeated("", "a&", "a", size),
    },
    Shape {
        name: "cookie: short cookies",
        place: Place::Header("cookie"),
        points: COOKIE_POINTS,
        make: |size| repeated("", "a=1;", "b=2", size),
    },
    Shape {
        name: "jwt: dots",
        place: Place::Header("authorization"),
        points: TOKEN_POINTS,
        make: |size| repeated("Bearer eyJ", ".", "", size),
    },
    Shape {
        name: "jwt: blanks",
        place: Place::Header("authorization"),
        points: TOKEN_POINTS,
        make: |size| repeated("Bearer", " ", "eyJ.e.e", size),
    },
    Shape {
        name: "jwt: a long payload, and a capture that explodes elsewhere",
        place: Place::Header("authorization"),
        points: TOKEN_POINTS,
        make: |size| repeated("Bearer eyJhIjoxfQ.", "aaaa", ".c", size),
    },
    Shape {
        name: "base64, percent, trim on a body",
        place: TEXT,
        points: &["request > body > base64 > base64", "request > body > percent > percent", "request > body > trim"],
        make: |size| repeated("", "YWFh", "", size),
    },
    Shape {
        name: "htmljs: references",
        place: TEXT,
        points: HTMLJS_POINTS,
        make: |size| repeated("", "&amp;", "", size),
    },
    Shape {
        name: "htmljs: references that do not end",
        place: TEXT,
        points: HTMLJS_POINTS,
        make: |size| repeated("", "&#&a", "", size),
    },
    Shape {
        name: "htmljs: escapes",
        place: TEXT,
        points: HTMLJS_POINTS,
        make: |size| repeated("", "\\u{61}\\x61\\", "", size),
    },
    Shape {
        name: "xml: elements inside each other",
        place: XML,
        points: XML_POINTS,
        make: |size| format!("<a>{}</a>", nested("<a>", "</a>", "", 100, size)).into_bytes(),
    },
    Shape {
        name: "xml: namespaces declared on every element",
        place: XML,
        points: &["request > body > xml > property a > property \"u|p|a\"", "request > body > xml > property a"],
        make: |size| {
            format!("<a>{}</a>", nested("<p:a xmlns:p='u' xmlns:q='v'>", "</p:a>", "", 100, size)).into_bytes()
        },
    },
    Shape {
        name: "xml: attributes",
        place: XML,
        points: XML_POINTS,
        make: |size| {
            let attributes: String = (0..size / 10).map(|number| format!("a{number}='' ")).collect();
            format!("<a><a {attributes}/></a>").into_bytes()
        },
    },
    Shape {
        name: "xml: references to one entity",
        place: XML,
        points: XML_POINTS,
        make: |size| repeated("<!DOCTYPE a [<!ENTITY e 'xxxxxxxxxxxxxxxx'>]><a><a>", "&e;", "</a></a>", size),
    },
    Shape {
        name: "xml: many entities",
        place: XML,
        points: XML_POINTS,
        make: |size| {
            let entities: String = (0..size / 40).map(|number| format!("<!ENTITY e{number} 'x'>")).collect();
            let references: String = (0..size / 40).map(|number| format!("&e{number};")).collect();
            format!("<!DOCTYPE a [{entities}]><a><a>{references}</a></a>").into_bytes()
        },
    },
    Shape {
        name: "xml: comments and CDATA",
        place: XML,
        points: XML_POINTS,
        make: |size| repeated("<a><a>", "<!--x--><![CDATA[]]>&lt;", "</a></a>", size),
    },
    Shape {
        name: "xml: an open comment",
        place: XML,
        points: XML_POINTS,
        make: |size| repeated("<a><!--", "- ", "", size),
    },
    Shape {
        name: "multipart: short parts",
        place: MULTIPART,
        points: MULTIPART_POINTS,
        make: |size| {
            let part = "--bbbbbbbbbbbbbbbb\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n";
            repeated("", part, "--bbbbbbbbbbbbbbbb--", size)
        },
    },
    Shape {
        name: "multipart: almost boundaries",
        place: MULTIPART,
        points: MULTIPART_POINTS,
        make: |size| {
            let head = "--bbbbbbbbbbbbbbbb\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n";
            repeated(head, "\r\n--bbbbbbbbbbbbbbb", "\r\n--bbbbbbbbbbbbbbbb--", size)
        },
    },
    Shape {
        name: "multipart: headers of a part",
        place: MULTIPART,
        points: MULTIPART_POINTS,
        make: |size| repeated("--bbbbbbbbbbbbbbbb\r\n", "a:b\r\n", "\r\n1\r\n--bbbbbbbbbbbbbbbb--", size),
    },
    Shape {
        name: "graphql: selections inside each other",
        place: GRAPHQL,
        points: GRAPHQL_POINTS,
        make: |size| {
            format!("query a {{ {} }}", nested("a(a:1){", "}", " ", 50, size).replace("{}", "{a}")).into_bytes()
        },
    },
    Shape {
        name: "graphql: one field with arguments again and again",
        place: GRAPHQL,
        points: GRAPHQL_POINTS,
        make: |size| repeated("query a {", "a(a:{a:[1]}) ", "}", size),
    },
    Shape {
        name: "graphql: operations and variables",
        place: GRAPHQL,
        points: GRAPHQL_POINTS,
        make: |size| repeated("", "query a($a:A=1){a(a:$a)}", "", size),
    },
    Shape {
        name: "graphql: block strings",
        place: GRAPHQL,
        points: GRAPHQL_POINTS,
        make: |size| repeated("query a{a(a:\"\"\"", "\n \\\"\"\"", "\"\"\")}", size),
    },
    Shape {
        name: "graphql: fragments, spreads, comments",
        place: GRAPHQL,
        points: GRAPHQL_POINTS,
        make: |size| repeated("", "fragment a on a{...a,,#\n...on a{a}}", "", size),
    },
    Shape {
        name: "protobuf: short fields",
        place: BINARY,
        points: PROTOBUF_POINTS,
        make: |size| repeated("", "\u{8}\u{1}", "", size),
    },
    Shape {
        name: "protobuf: messages inside each other",
        place: BINARY,
        points: PROTOBUF_POINTS,
        make: |size| repeated("", "\n\u{6}\n\u{4}\n\u{2}\n\0", "", size),
    },
    Shape {
        name: "protobuf: groups inside each other",
        place: BINARY,
        points: PROTOBUF_POINTS,
        make: |size| nested("\u{b}", "\u{c}", "", 100, size).into_bytes(),
    },
    Shape {
        name: "grpc: short frames",
        place: Place::Body("application/grpc"),
        points: GRPC_POINTS,
        make: |size| repeated("", "\0\0\0\0\u{2}\u{8}\u{1}", "", size),
    },
    Shape {
        name: "viewstate: a list of pairs",
        place: TEXT,
        points: VIEWSTATE_POINTS,
        make: |size| {
            // 0x16 is a list with its length in groups of 7 bits, 0x0f a pair, 0x64 nothing.
            let pairs = size / 4;
            let length = [pairs as u8 | 0x80, (pairs >> 7) as u8 | 0x80, (pairs >> 14) as u8];
            let list = [0x0f, 0x64, 0x64].repeat(pairs);
            STANDARD.encode([&[0xff, 0x01, 0x16][..], &length, &list].concat()).into_bytes()
        },
    },
    Shape {
        name: "gzip: stored blocks",
        place: Place::Coded("gzip"),
        points: JSON_POINTS,
        make: |size| {
            let head = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
            // Empty blocks (RFC 1951, section 3.2.4).
            [&head[..], &[0, 0, 0, 0xff, 0xff].repeat(size / 5)].concat()
        },
    },
    Shape {
        name: "zstd: empty blocks",
        place: Place::Coded("zstd"),
        points: JSON_POINTS,
        make: |size| [&[0x28, 0xb5, 0x2f, 0xfd, 0, 0][..], &[0, 0, 0].repeat(size / 3)].concat(),
    },
];

/// Does a child's task, if this process is one.
pub(crate) fn act() -> bool {
    let Ok(task) = std::env::var(TASK) else { return false };
    let mut numbers = task.split(' ').filter_map(|number| number.parse::<usize>().ok());
    let (Some(shape), Some(size), Some(times)) = (numbers.next(), numbers.next(), numbers.next()) else { return true };
    let Some(shape) = SHAPES.get(shape) else { return true };
    let points: Vec<Point> = shape.points.iter().filter_map(|text| Point::parse(text).ok()).collect();
    let Ok(plan) = Plan::compile(&points, Bounds::default()) else { return true };
    let exchange = exchange(shape.place, (shape.make)(size));
    let mut scratch = Scratch::default();
    for _ in 0..times {
        black_box(plan.extract(black_box(&exchange), &mut scratch));
    }
    true
}

/// Instructions of a child that extracts so often.
fn instructions(shape: usize, size: usize, times: usize) -> Option<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe().ok()?)
        .env(TASK, format!("{shape} {size} {times}"))
        .output()
        .ok()?;
    let report = String::from_utf8_lossy(&output.stderr);
    let counted = report.lines().find_map(|line| line.split_once("Collected :"))?.1;
    counted.trim().parse().ok()
}

/// Counts and adds the section.
///
/// # Errors
/// Why nothing was counted, in words.
pub(crate) fn run(table: &mut Table) -> Result<(), String> {
    let mut figures = Vec::new();
    for (number, shape) in SHAPES.iter().enumerate() {
        let mut per_byte = Vec::new();
        for size in SIZES {
            // Whatever a process does once is in both.
            let counted = instructions(number, size, 5).zip(instructions(number, size, 1));
            let Some((five, one)) = counted else {
                return Err("It needs valgrind: `scripts/install-test-tools.sh bench`.".to_owned());
            };
            let bytes = (shape.make)(size).len();
            per_byte.push(five.saturating_sub(one) as f64 / 4.0 / bytes as f64);
        }
        let [small, middle, large] = per_byte[..] else { continue };
        if small < 0.1 {
            return Err(format!("Nothing was extracted from `{}`.", shape.name));
        }
        figures.push(Figure::new(shape.name, large, "1/byte", Budget::None));
        figures.push(Figure::new("    64 KiB beside 16", middle / small, "x", Budget::AtMost(1.25)));
        figures.push(Figure::new("    256 KiB beside 16", large / small, "x", Budget::AtMost(1.25)));
    }
    table.section("Parsers: instructions per byte of the worst inputs, at 256 KiB, and beside smaller ones", figures);
    Ok(())
}
