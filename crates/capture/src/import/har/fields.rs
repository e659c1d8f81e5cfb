//! The fields of a HAR 1.2 entry that matter, read leniently: anything may be missing or null, numbers may be text,
//! text may be something that was never valid UTF-8. Fields that no exporter agrees on are not looked at.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, SeqAccess, Visitor};

/// Headers, cookies, parameters of one message; more is an attack.
pub(super) const LIST_LIMIT: usize = 2_000;

/// A string as bytes: unpaired surrogates and bytes that are not UTF-8 come through instead of failing the entry.
/// Numbers that stand where text is expected are made text before (`entry::parse_leniently`).
#[derive(Clone, Default)]
pub(super) struct Text<'a>(pub(super) Cow<'a, [u8]>);

impl Text<'_> {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string")
            }

            fn visit_borrowed_bytes<E: Error>(self, bytes: &'de [u8]) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(bytes)))
            }

            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(bytes.to_vec())))
            }
        }
        deserializer.deserialize_bytes(TextVisitor)
    }
}

/// A number, or text that holds one; anything else is unknown.
#[derive(Clone, Copy, Default)]
pub(super) struct Number(pub(super) Option<f64>);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberVisitor;
        impl Visitor<'_> for NumberVisitor {
            type Value = Number;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a number")
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Number, E> {
                Ok(Number(Some(number as f64)))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Number, E> {
                Ok(Number(Some(number as f64)))
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Number, E> {
                Ok(Number(Some(number)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Number, E> {
                Ok(Number(text.trim().parse().ok().filter(|number: &f64| number.is_finite())))
            }

            fn visit_bool<E: Error>(self, _: bool) -> Result<Number, E> {
                Ok(Number(None))
            }

            fn visit_unit<E: Error>(self) -> Result<Number, E> {
                Ok(Number(None))
            }
        }
        deserializer.deserialize_any(NumberVisitor)
    }
}

impl Number {
    /// A count of bytes; negative means unknown in HAR.
    pub(super) fn size(self) -> Option<u64> {
        // Beyond 2^53 a JSON number is no longer exact, and no body is that large.
        self.0.filter(|number| (0.0..=9_007_199_254_740_992.0).contains(number)).map(|number| number as u64)
    }

    /// Milliseconds as microseconds; negative means unknown in HAR, and more than a year is cut to a year.
    pub(super) fn micros(self) -> Option<u64> {
        const YEAR: f64 = 366.0 * 86_400_000.0;
        self.0.filter(|number| *number >= 0.0).map(|number| (number.min(YEAR) * 1_000.0).round() as u64)
    }
}

/// A list of at most [`LIST_LIMIT`] elements; the rest is not read but noted.
pub(super) struct List<T> {
    pub(super) items: Vec<T>,
    pub(super) over: bool,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self { items: Vec::new(), over: false }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ListVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for ListVisitor<T> {
            type Value = List<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a list")
            }

            fn visit_unit<E: Error>(self) -> Result<List<T>, E> {
                Ok(List::default())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<List<T>, A::Error> {
                let mut list = List::default();
                while list.items.len() < LIST_LIMIT {
                    match elements.next_element()? {
                        Some(item) => list.items.push(item),
                        None => return Ok(list),
                    }
                }
                while elements.next_element::<IgnoredAny>()?.is_some() {
                    list.over = true;
                }
                Ok(list)
            }
        }
        deserializer.deserialize_any(ListVisitor(PhantomData))
    }
}

/// A header, a cookie's or a parameter's name and value.
#[derive(Deserialize)]
pub(super) struct Pair<'a> {
    #[serde(borrow, default)]
    pub(super) name: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) value: Option<Text<'a>>,
}

impl Pair<'_> {
    pub(super) fn name(&self) -> &[u8] {
        self.name.as_ref().map_or(b"", Text::bytes)
    }

    pub(super) fn value(&self) -> &[u8] {
        self.value.as_ref().map_or(b"", Text::bytes)
    }
}

/// A cookie as the `cookies` arrays have it.
#[derive(Deserialize)]
pub(super) struct Cookie<'a> {
    #[serde(borrow, default)]
    pub(super) name: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) value: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) expires: Option<Text<'a>>,
}

/// One parameter of a posted form.
#[derive(Deserialize)]
pub(super) struct Parameter<'a> {
    #[serde(borrow, default)]
    pub(super) name: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) value: Option<Text<'a>>,
    #[serde(borrow, default, rename = "fileName")]
    pub(super) file_name: Option<Text<'a>>,
    #[serde(borrow, default, rename = "contentType")]
    pub(super) content_type: Option<Text<'a>>,
}

/// The request's body.
#[derive(Deserialize)]
pub(super) struct PostData<'a> {
    #[serde(borrow, default, rename = "mimeType")]
    pub(super) mime_type: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) text: Option<Text<'a>>,
    #[serde(borrow, default, alias = "_encoding")]
    pub(super) encoding: Option<Text<'a>>,
    #[serde(borrow, default = "List::default")]
    pub(super) params: List<Parameter<'a>>,
}

/// The request.
#[derive(Deserialize)]
pub(super) struct RequestFields<'a> {
    #[serde(borrow, default)]
    pub(super) method: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) url: Option<Text<'a>>,
    #[serde(borrow, default, rename = "httpVersion")]
    pub(super) version: Option<Text<'a>>,
    #[serde(borrow, default = "List::default")]
    pub(super) headers: List<Pair<'a>>,
    #[serde(borrow, default = "List::default")]
    pub(super) cookies: List<Cookie<'a>>,
    #[serde(borrow, default = "List::default", rename = "queryString")]
    pub(super) query: List<Pair<'a>>,
    #[serde(borrow, default, rename = "postData")]
    pub(super) post_data: Option<PostData<'a>>,
    #[serde(default, rename = "bodySize")]
    pub(super) body_size: Number,
}

/// The response's body.
#[derive(Deserialize)]
pub(super) struct Content<'a> {
    #[serde(default)]
    pub(super) size: Number,
    #[serde(borrow, default)]
    pub(super) text: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) encoding: Option<Text<'a>>,
}

/// The response.
#[derive(Deserialize)]
pub(super) struct ResponseFields<'a> {
    #[serde(default)]
    pub(super) status: Number,
    #[serde(borrow, default, rename = "httpVersion")]
    pub(super) version: Option<Text<'a>>,
    #[serde(borrow, default = "List::default")]
    pub(super) headers: List<Pair<'a>>,
    #[serde(borrow, default = "List::default")]
    pub(super) cookies: List<Cookie<'a>>,
    #[serde(borrow, default)]
    pub(super) content: Option<Content<'a>>,
    #[serde(default, rename = "bodySize")]
    pub(super) body_size: Number,
    /// Chrome: `net::ERR_…`; Playwright: `_failureText`.
    #[serde(borrow, default, rename = "_error", alias = "_failureText")]
    pub(super) failure: Option<Text<'a>>,
}

/// Where the time went, milliseconds.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Timings {
    pub(super) blocked: Number,
    pub(super) dns: Number,
    pub(super) connect: Number,
    pub(super) send: Number,
    pub(super) wait: Number,
    pub(super) receive: Number,
}

/// One element of `log.entries`.
#[derive(Deserialize)]
pub(super) struct Entry<'a> {
    #[serde(borrow, default, rename = "startedDateTime")]
    pub(super) started: Option<Text<'a>>,
    #[serde(default)]
    pub(super) time: Number,
    #[serde(borrow, default)]
    pub(super) request: Option<RequestFields<'a>>,
    #[serde(borrow, default)]
    pub(super) response: Option<ResponseFields<'a>>,
    #[serde(default)]
    pub(super) timings: Option<Timings>,
    #[serde(borrow, default, rename = "_clientIPAddress", alias = "clientIPAddress", alias = "_clientAddress")]
    pub(super) client: Option<Text<'a>>,
}
