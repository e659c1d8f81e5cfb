//! The steps a point is made of: their words, their arguments and what each means. Which step may follow which is
//! not decided here but in `rules`.

use std::fmt;
use std::hash::{Hash, Hasher};

use regex::bytes::{Regex, RegexBuilder};

/// The message a point looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// What the client sent.
    Request,
    /// What the upstream answered.
    Response,
}

impl Side {
    /// The first word of a point: `request` or `response`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Response => "response",
        }
    }

    pub(crate) fn from_word(word: &str) -> Option<Self> {
        [Self::Request, Self::Response].into_iter().find(|side| side.as_str().eq_ignore_ascii_case(word))
    }
}

impl fmt::Display for Side {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A header's name: a token of RFC 9110, section 5.6.2, kept in upper case because names compare without case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HeaderLabel(String);

impl HeaderLabel {
    /// From a name in any case; `None` when it is not a header name.
    pub fn new(name: &str) -> Option<Self> {
        http::HeaderName::from_bytes(name.as_bytes()).ok().map(|_| Self(name.to_ascii_uppercase()))
    }

    /// The name in upper case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A part of a JSON Web Token in compact serialisation (RFC 7519; RFC 7515, section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JwtPart {
    /// The JOSE header, decoded.
    Header,
    /// The claims, decoded.
    Payload,
    /// The signature as it stands in the token (base64url).
    Signature,
    /// What stands before the token: `Bearer` in most Authorization headers.
    Prefix,
    /// The token without what stands before it.
    Token,
}

impl JwtPart {
    const ALL: [Self; 5] = [Self::Header, Self::Payload, Self::Signature, Self::Prefix, Self::Token];

    /// The word in a point.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Payload => "payload",
            Self::Signature => "signature",
            Self::Prefix => "prefix",
            Self::Token => "token",
        }
    }
}

/// A regular expression whose first group is the value. Compared by its text.
#[derive(Clone)]
pub struct Pattern {
    source: String,
    regex: Regex,
}

impl Pattern {
    /// Bound on the compiled program, bytes. Matching is linear in the input whatever the expression.
    const PROGRAM_BYTES: usize = 128 * 1024;
    /// Bound on the cache of the lazy automaton, bytes.
    const AUTOMATON_BYTES: usize = 256 * 1024;
    /// Bound on the nesting of groups in the expression.
    const NESTING: u32 = 32;

    /// Compiles an expression (syntax of the `regex` crate).
    ///
    /// # Errors
    /// In a few fixed words: not a regular expression, too large when compiled, or without a group.
    pub fn new(source: &str) -> Result<Self, &'static str> {
        let regex = RegexBuilder::new(source)
            .size_limit(Self::PROGRAM_BYTES)
            .dfa_size_limit(Self::AUTOMATON_BYTES)
            .nest_limit(Self::NESTING)
            .build()
            .map_err(|error| match error {
                regex::Error::CompiledTooBig(_) => {
                    "needs a smaller regular expression: this one is too large when compiled"
                }
                _ => "needs a valid regular expression",
            })?;
        if regex.captures_len() < 2 {
            return Err("needs a regular expression with a group, as in `^id-(.+)$`: the first group is the value");
        }
        Ok(Self { source: source.to_owned(), regex })
    }

    /// The expression as written.
    pub fn as_str(&self) -> &str {
        &self.source
    }

    pub(crate) fn regex(&self) -> &Regex {
        &self.regex
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Pattern({:?})", self.source)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for Pattern {}

impl Hash for Pattern {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.source.hash(state);
    }
}

/// What a step takes after its word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ArgumentKind {
    /// Nothing.
    None,
    /// Any name, which may be empty.
    Name,
    /// The name of a header.
    HeaderName,
    /// A number from 0.
    Number,
    /// `header`, `payload`, `signature`, `prefix` or `token`.
    JwtPart,
    /// A regular expression with a group.
    Pattern,
}

impl ArgumentKind {
    const fn placeholder(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Name | Self::HeaderName => Some("NAME"),
            Self::Number => Some("N"),
            Self::JwtPart => Some("PART"),
            Self::Pattern => Some("REGEX"),
        }
    }
}

/// What may be written after a step's word, read into the type the step holds.
trait Argument: Sized {
    const KIND: ArgumentKind;
    fn read(text: &str) -> Result<Self, &'static str>;
    fn write(&self) -> String;
}

impl Argument for String {
    const KIND: ArgumentKind = ArgumentKind::Name;

    fn read(text: &str) -> Result<Self, &'static str> {
        Ok(text.to_owned())
    }

    fn write(&self) -> String {
        self.clone()
    }
}

impl Argument for HeaderLabel {
    const KIND: ArgumentKind = ArgumentKind::HeaderName;

    fn read(text: &str) -> Result<Self, &'static str> {
        Self::new(text).ok_or("needs the name of a header: letters, digits and !#$%&'*+-.^_`|~")
    }

    fn write(&self) -> String {
        self.0.clone()
    }
}

impl Argument for u32 {
    const KIND: ArgumentKind = ArgumentKind::Number;

    fn read(text: &str) -> Result<Self, &'static str> {
        let number = if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None };
        number.ok_or("needs a whole number from 0 to 4294967295")
    }

    fn write(&self) -> String {
        self.to_string()
    }
}

impl Argument for JwtPart {
    const KIND: ArgumentKind = ArgumentKind::JwtPart;

    fn read(text: &str) -> Result<Self, &'static str> {
        Self::ALL
            .into_iter()
            .find(|part| part.as_str().eq_ignore_ascii_case(text))
            .ok_or("needs one of: header, payload, signature, prefix, token")
    }

    fn write(&self) -> String {
        self.as_str().to_owned()
    }
}

impl Argument for Pattern {
    const KIND: ArgumentKind = ArgumentKind::Pattern;

    fn read(text: &str) -> Result<Self, &'static str> {
        Self::new(text)
    }

    fn write(&self) -> String {
        self.source.clone()
    }
}

/// Declares every step once: variant, argument, word.
macro_rules! steps {
    ($($(#[$documentation:meta])* $variant:ident $(($argument:ty))? = $word:literal,)*) => {
        /// One step of a point after `request` or `response`.
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub enum Step {
            $($(#[$documentation])* $variant $(($argument))?,)*
        }

        /// A step without its argument: what the rules speak about.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(crate) enum Kind {
            $($variant,)*
        }

        impl Kind {
            pub(crate) const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The word the step is written with.
            pub(crate) const fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }

            /// What stands after the word.
            pub(crate) fn argument(self) -> ArgumentKind {
                match self {
                    $(Self::$variant => steps!(@kind $($argument)?),)*
                }
            }

            /// The step with its argument; the reason in words when the argument will not do.
            pub(crate) fn read(self, _text: &str) -> Result<Step, &'static str> {
                match self {
                    $(Self::$variant => Ok(Step::$variant $((<$argument>::read(_text)?))?),)*
                }
            }
        }

        impl Step {
            pub(crate) const fn kind(&self) -> Kind {
                match self {
                    $(Self::$variant { .. } => Kind::$variant,)*
                }
            }

            /// The argument as text, where the step has one.
            pub fn argument(&self) -> Option<String> {
                match self {
                    $(steps!(@pattern $variant value $($argument)?) => steps!(@text value $($argument)?),)*
                }
            }
        }
    };
    (@kind) => { ArgumentKind::None };
    (@kind $argument:ty) => { <$argument as Argument>::KIND };
    (@pattern $variant:ident $value:ident) => { Self::$variant };
    (@pattern $variant:ident $value:ident $argument:ty) => { Self::$variant($value) };
    (@text $value:ident) => { None };
    (@text $value:ident $argument:ty) => { Some(Argument::write($value)) };
}

steps! {
    /// The request method, as sent.
    Method = "method",
    /// `http` or `https`.
    Scheme = "scheme",
    /// The protocol version: `HTTP/1.1`.
    Proto = "proto",
    /// The authority the client asked for, in lower case, its port as sent.
    Host = "host",
    /// Path and query as sent.
    Uri = "uri",
    /// A part of the path, counted from 0, percent-decoded; the last part counts too.
    Path(u32) = "path",
    /// `path` without a number: every part. `all` or `names` follows.
    Paths = "path",
    /// The last part of the path up to its first dot.
    ActionName = "action_name",
    /// The last part of the path after its first dot.
    ActionExt = "action_ext",
    /// A field of the query; below `graphql` a query operation by its name.
    Query(String) = "query",
    /// `query` without a name: every field, or every query operation. `all` or `names` follows.
    Queries = "query",
    /// The client's address.
    RemoteAddr = "remote_addr",
    /// The JA3 fingerprint of the client's TLS connection.
    Ja3 = "ja3",
    /// The JA4 fingerprint of the client's TLS connection.
    Ja4 = "ja4",
    /// The status code.
    Status = "status",
    /// A header.
    Header(HeaderLabel) = "header",
    /// `header` without a name: every header. `all` or `names` follows.
    Headers = "header",
    /// The message body.
    Body = "body",
    /// JSON (RFC 8259).
    Json = "json",
    /// XML.
    Xml = "xml",
    /// `application/x-www-form-urlencoded` fields.
    Form = "form",
    /// A part of a multipart body by its name (RFC 7578).
    Multipart(String) = "multipart",
    /// `multipart` without a name: every part. `all` or `names` follows.
    Multiparts = "multipart",
    /// A cookie of a Cookie or Set-Cookie header (RFC 6265).
    Cookie(String) = "cookie",
    /// `cookie` without a name: every cookie. `all` or `names` follows.
    Cookies = "cookie",
    /// A part of a JSON Web Token.
    Jwt(JwtPart) = "jwt",
    /// `jwt` without a part: every part. `all` or `names` follows.
    Jwts = "jwt",
    /// A GraphQL document.
    Graphql = "graphql",
    /// gRPC frames.
    Grpc = "grpc",
    /// Protocol Buffers without a schema.
    Protobuf = "protobuf",
    /// ASP.NET view state.
    Viewstate = "viewstate",
    /// Base64 decoded (RFC 4648, sections 4 and 5), padded or not.
    Base64 = "base64",
    /// gzip decompressed.
    Gzip = "gzip",
    /// Percent-decoded (RFC 3986, section 2.1).
    Percent = "percent",
    /// HTML entities and JavaScript escapes decoded.
    Htmljs = "htmljs",
    /// The value of a name: a JSON property, a form field, an XML tag.
    Property(String) = "property",
    /// `property` without a name: every value. `all` or `names` follows.
    Properties = "property",
    /// An element of an array, or a repeated value, counted from 0.
    Index(u32) = "index",
    /// `index` without a number: every element. `all` or `names` follows.
    Indexes = "index",
    /// An attribute of an XML tag.
    Attribute(String) = "attribute",
    /// A GraphQL mutation by its name; an anonymous one has an empty name.
    Mutation(String) = "mutation",
    /// `mutation` without a name: every mutation. `all` or `names` follows.
    Mutations = "mutation",
    /// A GraphQL subscription by its name.
    Subscription(String) = "subscription",
    /// `subscription` without a name: every subscription. `all` or `names` follows.
    Subscriptions = "subscription",
    /// A GraphQL field.
    Field(String) = "field",
    /// `field` without a name: every field of a selection set. `all` or `names` follows.
    Fields = "field",
    /// An argument of a GraphQL field or directive.
    Argument(String) = "argument",
    /// `argument` without a name: every argument. `all` or `names` follows.
    Arguments = "argument",
    /// A GraphQL variable.
    Variable(String) = "variable",
    /// `variable` without a name: every variable. `all` or `names` follows.
    Variables = "variable",
    /// The alias of a GraphQL field.
    Alias = "alias",
    /// The directives of a GraphQL element, by name.
    Directive = "directive",
    /// The fragments of a GraphQL document, by name.
    Fragment = "fragment",
    /// A GraphQL inline fragment.
    Inline = "inline",
    /// The name of a GraphQL fragment spread.
    Spread = "spread",
    /// A GraphQL type condition.
    Type = "type",
    /// Every value of what stands before.
    All = "all",
    /// Every name of what stands before.
    Names = "names",
    /// Repeated values joined with a comma.
    Joined = "joined",
    /// The value without a leading authentication scheme: `Bearer abc` gives `abc`.
    Bearer = "bearer",
    /// The value without leading and trailing blanks.
    Trim = "trim",
    /// The value in lower case.
    Lower = "lower",
    /// The first group of a regular expression.
    Capture(Pattern) = "capture",
}

impl Kind {
    /// The form a word has with or without an argument.
    pub(crate) fn from_word(word: &str, with_argument: bool) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| {
            kind.word().eq_ignore_ascii_case(word) && (kind.argument() != ArgumentKind::None) == with_argument
        })
    }

    pub(crate) fn shape(self) -> StepForm {
        StepForm { word: self.word(), argument: self.argument() }
    }
}

impl Step {
    /// The step's word: `header` of `header HOST`.
    pub const fn word(&self) -> &'static str {
        self.kind().word()
    }

    /// A step by its word and what stands after it; `None` when that is no step.
    pub(crate) fn read(word: &str, argument: Option<&str>) -> Option<Self> {
        Kind::from_word(word, argument.is_some())?.read(argument.unwrap_or_default()).ok()
    }
}

/// How a step is written: its word and what stands after it. For editors that offer the next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StepForm {
    /// The word.
    pub word: &'static str,
    /// What stands after the word.
    pub argument: ArgumentKind,
}

impl StepForm {
    /// Every form a step can have.
    pub fn all() -> impl Iterator<Item = Self> {
        Kind::ALL.iter().map(|kind| kind.shape())
    }
}

impl fmt::Display for StepForm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.word)?;
        match self.argument.placeholder() {
            Some(placeholder) => write!(formatter, " {placeholder}"),
            None => Ok(()),
        }
    }
}
