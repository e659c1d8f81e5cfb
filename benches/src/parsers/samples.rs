//! A usual message of 64 KiB for each parser, and eight points in it.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use threadline_points::reference;

use super::comparison::{self, Other};
use super::messages::Place;

/// One parser's message.
pub(crate) struct Sample {
    pub(crate) name: &'static str,
    pub(crate) place: Place,
    pub(crate) points: &'static [&'static str],
    pub(crate) make: fn() -> Vec<u8>,
    /// What comes out of a compressed message, bytes.
    pub(crate) decoded_bytes: Option<usize>,
    pub(crate) others: &'static [Other],
}

const BYTES: usize = 64 * 1024;

/// Eight points of the reference document, spread over it.
const DOCUMENT: &[&str] = &[
    "request > body > json > property token",
    "request > body > json > property currency",
    "request > body > json > property total",
    "request > body > json > property customer > property id",
    "request > body > json > property customer > property email",
    "request > body > json > property items > index 0 > property id",
    "request > body > json > property items > index 7 > property sku",
    "request > body > json > property items > index 300 > property price",
];

/// One of many different points of the reference document: the first are spread over it like [`DOCUMENT`].
pub(crate) fn document_point(number: usize) -> String {
    match DOCUMENT.get(number) {
        Some(point) => (*point).to_owned(),
        None => {
            let field = ["id", "sku", "name", "qty", "price"][number % 5];
            format!("request > body > json > property items > index {} > property {field}", number * 8)
        }
    }
}

fn document() -> Vec<u8> {
    reference::document(BYTES).into_bytes()
}

/// Units with rising numbers between a start and an end.
fn numbered(start: &str, end: &str, unit: impl Fn(usize) -> String) -> Vec<u8> {
    let mut text = start.to_owned();
    for number in 0.. {
        let unit = unit(number);
        if text.len() + unit.len() + end.len() > BYTES {
            break;
        }
        text.push_str(&unit);
    }
    text.push_str(end);
    text.into_bytes()
}

/// A field of Protocol Buffers with a length (wire type 2).
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    // Lengths of less than 16,384 in two bytes.
    let length = [(bytes.len() % 128) as u8 | 0x80, (bytes.len() / 128) as u8];
    [&[number << 3 | 2][..], &length, bytes].concat()
}

/// A message of 64 KiB with order lines as the reference document has them.
fn protobuf() -> Vec<u8> {
    let mut message = [field(1, b"3f2a9c1e7d5b4860"), vec![2 << 3, 77]].concat();
    let mut number = 0_u32;
    while message.len() < BYTES - 128 {
        let name = format!("Item number {number}");
        let line = [field(1, name.as_bytes()), vec![2 << 3, 5, 3 << 3 | 5], number.to_le_bytes().to_vec()].concat();
        message.extend(field(3, &[line, field(4, &field(1, b"tag"))].concat()));
        number += 1;
    }
    message.extend(field(5, b"the end"));
    message
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut coded = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    coded.extend(miniz_oxide::deflate::compress_to_vec(bytes, 6));
    coded.extend(crc32fast::hash(bytes).to_le_bytes());
    coded.extend((bytes.len() as u32).to_le_bytes());
    coded
}

pub(crate) const SAMPLES: &[Sample] = &[
    Sample {
        name: "json",
        place: Place::Body("application/json"),
        points: DOCUMENT,
        make: document,
        decoded_bytes: None,
        others: comparison::JSON,
    },
    Sample {
        name: "json, every element's name by `all`",
        place: Place::Body("application/json"),
        points: &["request > body > json > property items > index > all > property name"],
        make: document,
        decoded_bytes: None,
        others: &[],
    },
    Sample {
        name: "form",
        place: Place::Body("application/x-www-form-urlencoded"),
        points: &[
            "request > body > form > property f0",
            "request > body > form > property f10",
            "request > body > form > property f100",
            "request > body > form > property f500",
            "request > body > form > property f1000",
            "request > body > form > property list > index 0",
            "request > body > form > property list > index 100",
            "request > body > form > property map > property k9",
        ],
        make: || {
            numbered("", "&end=1", |number| {
                format!("&f{number}=some+value%20{number}&list[]={number}&map[k{number}]=x%2Fy")
            })
        },
        decoded_bytes: None,
        others: comparison::FORM,
    },
    Sample {
        name: "xml",
        place: Place::Body("text/xml"),
        points: &[
            "request > body > xml > property Envelope > property Body > property order > property token",
            "request > body > xml > property Envelope > property Body > property order > attribute id",
            "request > body > xml > property Envelope > property Body > property order > property item > property sku",
            "request > body > xml > property Envelope > property Body > property order > property item > attribute n",
            "request > body > xml > property Envelope > property Body > property order > property item > index 9 > property qty",
            "request > body > xml > property Envelope > property Body > property order > property item > index 90 > property sku",
            "request > body > xml > property Envelope > property Body > property order > property item > index 300 > property qty",
            "request > body > xml > property Envelope > property Body > property end",
        ],
        make: || {
            let start = "<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>\
                         <order id=\"17\"><token>3f2a9c1e7d5b4860</token>";
            numbered(start, "</order><end>1</end></s:Body></s:Envelope>", |number| {
                format!(
                    "<item n=\"{number}\"><sku>SKU-{number:05}</sku><qty>{}</qty><name>Item &amp; number {number}</name></item>\n",
                    number % 7
                )
            })
        },
        decoded_bytes: None,
        others: comparison::XML,
    },
    Sample {
        name: "multipart",
        place: Place::Body("multipart/form-data; boundary=boundary"),
        points: &[
            "request > body > multipart f0",
            "request > body > multipart f1",
            "request > body > multipart f10",
            "request > body > multipart f50",
            "request > body > multipart f100",
            "request > body > multipart f120",
            "request > body > multipart f130",
            "request > body > multipart end",
        ],
        make: || {
            let end = "--boundary\r\nContent-Disposition: form-data; name=\"end\"\r\n\r\n1\r\n--boundary--\r\n";
            numbered("", end, |number| {
                let content = "The content of a part, of some length. ".repeat(8);
                format!("--boundary\r\nContent-Disposition: form-data; name=\"f{number}\"\r\n\r\n{content}\r\n")
            })
        },
        decoded_bytes: None,
        others: comparison::MULTIPART,
    },
    Sample {
        name: "graphql",
        place: Place::Body("application/graphql"),
        points: &[
            "request > body > graphql > query Orders > field f0 > argument id",
            "request > body > graphql > query Orders > field f1 > argument first",
            "request > body > graphql > query Orders > field f10 > argument id",
            "request > body > graphql > query Orders > field f100 > field name > argument case",
            "request > body > graphql > query Orders > field f200 > argument id",
            "request > body > graphql > query Orders > field f300 > argument filter > property state",
            "request > body > graphql > query Orders > field f400 > argument id",
            "request > body > graphql > query Orders > field end > argument id",
        ],
        make: || {
            numbered("query Orders($a: ID = 1) {\n", "  end(id: 1)\n}\n", |number| {
                format!(
                    "  alias{number}: f{number}(id: {number}, first: 10, filter: {{state: OPEN, name: \"x y\"}}) @include(if: true) {{ id name(case: UPPER) ...Fields }}\n"
                )
            })
        },
        decoded_bytes: None,
        others: comparison::GRAPHQL,
    },
    Sample {
        name: "protobuf",
        place: Place::Body("application/x-protobuf"),
        points: &[
            "request > body > protobuf > property 1",
            "request > body > protobuf > property 2",
            "request > body > protobuf > property 5",
            "request > body > protobuf > property 3 > property 1",
            "request > body > protobuf > property 3 > index 10 > property 1",
            "request > body > protobuf > property 3 > index 100 > property 2",
            "request > body > protobuf > property 3 > index 500 > property 3",
            "request > body > protobuf > property 3 > index 500 > property 4 > property 1",
        ],
        make: protobuf,
        decoded_bytes: None,
        others: &[],
    },
    Sample {
        name: "grpc",
        place: Place::Body("application/grpc"),
        points: &[
            "request > body > grpc > property 1",
            "request > body > grpc > property 3 > index 500 > property 1",
            "request > body > grpc > property 5",
        ],
        make: || {
            let message = protobuf();
            [&[0][..], &(message.len() as u32).to_be_bytes(), &message].concat()
        },
        decoded_bytes: None,
        others: &[],
    },
    Sample {
        name: "viewstate",
        place: Place::Body("text/plain"),
        points: &["request > body > viewstate > index 0", "request > body > viewstate > index 1 > index 100"],
        make: || {
            // A pair of a string and a list of 120 strings of 100 bytes.
            let text = [&[5, 100][..], &[b'x'; 100]].concat();
            let state = [&[0xff, 0x01, 0x0f][..], &text, &[0x16, 120], &text.repeat(120)].concat();
            STANDARD.encode(state).into_bytes()
        },
        decoded_bytes: None,
        others: &[],
    },
    Sample {
        name: "htmljs",
        place: Place::Body("text/plain"),
        points: &["request > body > htmljs"],
        make: || numbered("", "", |number| format!("some text {number} with &lt;b&gt; and \\u0041 in it ")),
        decoded_bytes: None,
        others: &[],
    },
    Sample {
        name: "jwt of 48 KiB in a header",
        place: Place::Header("authorization"),
        points: &[
            "request > header AUTHORIZATION > jwt payload > property token",
            "request > header AUTHORIZATION > jwt payload > property customer > property email",
            "request > header AUTHORIZATION > jwt payload > property items > index 200 > property id",
        ],
        make: || {
            let payload = URL_SAFE_NO_PAD.encode(reference::document(48 * 1024));
            format!("Bearer eyJhbGciOiJub25lIn0.{payload}.c2ln").into_bytes()
        },
        decoded_bytes: None,
        others: comparison::TOKEN,
    },
    Sample {
        name: "base64 of json",
        place: Place::Body("text/plain"),
        points: &["request > body > base64 > json > property token"],
        make: || STANDARD.encode(reference::document(48 * 1024)).into_bytes(),
        decoded_bytes: None,
        others: comparison::BASE64,
    },
    Sample {
        name: "gzip",
        place: Place::Coded("gzip"),
        points: DOCUMENT,
        make: || gzip(&document()),
        decoded_bytes: Some(BYTES),
        others: &[],
    },
    Sample {
        name: "deflate",
        place: Place::Coded("deflate"),
        points: DOCUMENT,
        make: || miniz_oxide::deflate::compress_to_vec_zlib(&document(), 6),
        decoded_bytes: Some(BYTES),
        others: comparison::DEFLATE,
    },
    Sample {
        name: "br",
        place: Place::Coded("br"),
        points: DOCUMENT,
        // `reference::document` of 64 KiB by Google's encoder, quality 5.
        make: || include_bytes!("../../../testdata/codings/document.json.br").to_vec(),
        decoded_bytes: Some(BYTES),
        others: comparison::BROTLI,
    },
    Sample {
        name: "zstd",
        place: Place::Coded("zstd"),
        points: DOCUMENT,
        make: || ruzstd::encoding::compress_to_vec(&document()[..], ruzstd::encoding::CompressionLevel::Fastest),
        decoded_bytes: Some(BYTES),
        others: comparison::ZSTD,
    },
];
