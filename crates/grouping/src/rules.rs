//! The built-in set as a table: the grouping rules that apply when no configured key works, in their order.
//!
//! Adding a well-known name is adding a line here. How a rule is looked up in an exchange is not decided here.

/// One rule of the built-in set.
#[derive(Debug, PartialEq, Eq)]
pub struct BuiltInRule {
    /// Name, exported with every exchange the rule decides: `cookie PHPSESSID`. Never changes.
    pub name: &'static str,
    /// What the rule reads and where such a value comes from, for people.
    pub description: &'static str,
    pub(crate) reads: Reads,
}

/// What a rule looks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reads {
    /// A cookie: one that the response sets and does not delete, else the request's.
    Cookie(CookieName),
    /// Two cookies that only together identify a session.
    CookiePair(&'static str, &'static str),
    /// A header of the request (lower case).
    Header(&'static str),
    /// A header that the server issues in a response and the client repeats in requests (lower case).
    IssuedHeader(&'static str),
    /// A JWT's `sid` in Authorization, with its `iss` where present.
    TokenSession,
    /// A JWT's `iss` and `sub` in Authorization.
    TokenSubject,
    /// A token in Authorization as it stands.
    Token,
    /// The user name of HTTP Basic in Authorization.
    BasicUser,
    /// A parameter of a path segment, name without regard to ASCII case.
    PathParameter(&'static str),
    /// A query field, name without regard to ASCII case.
    Query(&'static str),
}

/// How a cookie's name is recognised. Names of cookies compare with case (RFC 6265, section 5.3).
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum CookieName {
    Exact(&'static str),
    /// Begins with this and goes on.
    Prefix(&'static str),
    /// This, followed by hexadecimal digits to the end.
    PrefixHexadecimal(&'static str),
    /// Begins with the first and ends with the second, with something between.
    Framed(&'static str, &'static str),
}

impl CookieName {
    /// What every name that matches begins with.
    pub(crate) const fn beginning(&self) -> &'static str {
        match self {
            Self::Exact(text) | Self::Prefix(text) | Self::PrefixHexadecimal(text) | Self::Framed(text, _) => text,
        }
    }

    pub(crate) fn matches(&self, name: &[u8]) -> bool {
        match self {
            Self::Exact(exact) => name == exact.as_bytes(),
            Self::Prefix(prefix) => name.len() > prefix.len() && name.starts_with(prefix.as_bytes()),
            Self::PrefixHexadecimal(prefix) => name
                .strip_prefix(prefix.as_bytes())
                .is_some_and(|rest| rest.len() >= 16 && rest.iter().all(u8::is_ascii_hexdigit)),
            Self::Framed(prefix, suffix) => {
                name.len() > prefix.len() + suffix.len()
                    && name.starts_with(prefix.as_bytes())
                    && name.ends_with(suffix.as_bytes())
            }
        }
    }
}

macro_rules! cookie {
    ($name:literal, $of:literal) => {
        cookie!($name, $of, CookieName::Exact($name))
    };
    ($shown:literal, $of:literal, $matched:expr) => {
        BuiltInRule {
            name: concat!("cookie ", $shown),
            description: concat!("Session cookie ", $shown, " (", $of, "): set by the response, else sent"),
            reads: Reads::Cookie($matched),
        }
    };
}

macro_rules! header {
    ($shown:literal, $reads:expr, $description:literal) => {
        BuiltInRule { name: concat!("header ", $shown), description: $description, reads: $reads }
    };
}

macro_rules! query {
    ($name:literal) => {
        BuiltInRule {
            name: concat!("query ", $name),
            description: concat!("Query field ", $name, ", in upper or lower case"),
            reads: Reads::Query($name),
        }
    };
}

/// The rules in the order in which they are tried. AWSALB and other load-balancer cookies are left out on purpose:
/// they name a server, not a client; so are CSRF cookies and analytics identifiers.
pub(crate) static RULES: &[BuiltInRule] = &[
    cookie!("PHPSESSID", "PHP"),
    cookie!("JSESSIONID", "Java servlets"),
    cookie!("ASP.NET_SessionId", "ASP.NET"),
    cookie!(".AspNetCore.Session", "ASP.NET Core"),
    cookie!("ASPSESSIONID*", "classic ASP", CookieName::Prefix("ASPSESSIONID")),
    cookie!("connect.sid", "Express"),
    cookie!("sessionid", "Django"),
    cookie!("session_id", "common"),
    cookie!("sessionId", "common"),
    cookie!("sid", "common"),
    cookie!("SID", "common"),
    cookie!("laravel_session", "Laravel"),
    cookie!("rack.session", "Rack"),
    cookie!("_session_id", "Ruby on Rails"),
    cookie!("_*_session", "Ruby on Rails, one name for each application", CookieName::Framed("_", "_session")),
    cookie!("ci_session", "CodeIgniter"),
    BuiltInRule {
        name: "cookies CFID and CFTOKEN",
        description: "Session cookies CFID and CFTOKEN together (ColdFusion): set by the response, else sent",
        reads: Reads::CookiePair("CFID", "CFTOKEN"),
    },
    cookie!("CGISESSID", "Perl CGI::Session"),
    cookie!("CAKEPHP", "CakePHP"),
    cookie!("koa.sid", "Koa"),
    cookie!("koa.sess", "Koa"),
    cookie!("koa:sess", "Koa"),
    cookie!("session", "Flask and others"),
    cookie!("SESSION", "Spring Session"),
    cookie!("sessionToken", "common"),
    cookie!("session_token", "common"),
    cookie!("next-auth.session-token", "NextAuth.js"),
    cookie!("authjs.session-token", "Auth.js"),
    cookie!("beaker.session.id", "Beaker"),
    cookie!("SSESS*", "Drupal over TLS", CookieName::PrefixHexadecimal("SSESS")),
    cookie!("SESS*", "Drupal", CookieName::PrefixHexadecimal("SESS")),
    cookie!("wordpress_logged_in_*", "WordPress", CookieName::Prefix("wordpress_logged_in_")),
    cookie!("frontend", "Magento 1"),
    cookie!("PLAY_SESSION", "Play"),
    header!("SESSION-ID", Reads::Header("session-id"), "Request header SESSION-ID"),
    header!("X-SESSION-ID", Reads::Header("x-session-id"), "Request header X-SESSION-ID"),
    header!("X-SESSION-TOKEN", Reads::Header("x-session-token"), "Request header X-SESSION-TOKEN"),
    header!("X-AUTH-TOKEN", Reads::Header("x-auth-token"), "Request header X-AUTH-TOKEN"),
    header!(
        "MCP-SESSION-ID",
        Reads::IssuedHeader("mcp-session-id"),
        "Header MCP-SESSION-ID (Model Context Protocol): issued by the response to `initialize`, else sent"
    ),
    BuiltInRule {
        name: "authorization JWT sid",
        description: "Claim `sid` of a JWT in AUTHORIZATION, with its `iss` where present",
        reads: Reads::TokenSession,
    },
    BuiltInRule {
        name: "authorization JWT iss and sub",
        description: "Claims `iss` and `sub` of a JWT in AUTHORIZATION, both present",
        reads: Reads::TokenSubject,
    },
    BuiltInRule {
        name: "authorization token",
        description: "Any other token in AUTHORIZATION, without its scheme; signatures made for one request are left out",
        reads: Reads::Token,
    },
    BuiltInRule {
        name: "authorization Basic user",
        description: "User name of HTTP Basic in AUTHORIZATION",
        reads: Reads::BasicUser,
    },
    header!("X-API-KEY", Reads::Header("x-api-key"), "Request header X-API-KEY"),
    header!("API-KEY", Reads::Header("api-key"), "Request header API-KEY"),
    BuiltInRule {
        name: "path jsessionid",
        description: "Path parameter `;jsessionid=` (Java servlets without cookies)",
        reads: Reads::PathParameter("jsessionid"),
    },
    query!("jsessionid"),
    query!("phpsessid"),
    query!("sessionid"),
    query!("session_id"),
    query!("sid"),
    query!("session_token"),
    query!("auth_token"),
    query!("access_token"),
    query!("api_key"),
    query!("apikey"),
];

/// How many rules of the table read cookies; they stand first.
pub(crate) const COOKIE_RULES: usize = {
    let mut count = 0;
    while matches!(RULES[count].reads, Reads::Cookie(_) | Reads::CookiePair(..)) {
        count += 1;
    }
    count
};

/// How many rules of the table read query fields; they stand last.
const QUERY_RULES: usize = {
    let mut count = 0;
    while matches!(RULES[RULES.len() - 1 - count].reads, Reads::Query(_)) {
        count += 1;
    }
    count
};

/// The rules between, each of which is looked up by itself.
pub(crate) static SINGLE_RULES: &[BuiltInRule] = RULES.split_at(RULES.len() - QUERY_RULES).0.split_at(COOKIE_RULES).1;

/// The rule that reads a query field of this name; without regard to ASCII case.
pub(crate) fn query_rule(name: &[u8]) -> Option<usize> {
    let first = RULES.len() - QUERY_RULES;
    let named = |rule: &BuiltInRule| match &rule.reads {
        Reads::Query(known) => name.eq_ignore_ascii_case(known.as_bytes()),
        _ => false,
    };
    RULES[first..].iter().position(named).map(|position| first + position)
}

/// The built-in set in its order, for showing beside the configured keys.
pub fn built_in_rules() -> &'static [BuiltInRule] {
    RULES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_fit_the_table() {
        for (position, rule) in RULES.iter().enumerate() {
            assert!(!rule.description.is_empty() && rule.name.len() <= 64, "{}", rule.name);
            assert!(RULES[..position].iter().all(|other| other.name != rule.name), "{}", rule.name);
        }
    }

    #[test]
    fn headers_and_query_fields_of_the_table_are_credentials_to_points_too() {
        for rule in RULES {
            let known = match &rule.reads {
                Reads::Header(name) | Reads::IssuedHeader(name) => threadline_points::is_credential_header(name),
                Reads::Query(name) | Reads::PathParameter(name) => {
                    threadline_points::is_credential_name(name.as_bytes())
                }
                _ => true,
            };
            assert!(known, "{}", rule.name);
        }
        assert_eq!(RULES.iter().filter(|rule| matches!(rule.reads, Reads::Query(_))).count(), QUERY_RULES);
    }

    #[test]
    fn no_rule_reads_a_load_balancer_or_csrf_cookie() {
        for name in ["AWSALB", "AWSALBCORS", "AWSELB", "XSRF-TOKEN", "csrftoken", "_ga", "__cf_bm", "BIGipServerpool"] {
            let read = RULES
                .iter()
                .find(|rule| matches!(&rule.reads, Reads::Cookie(cookie) if cookie.matches(name.as_bytes())));
            assert_eq!(read, None, "{name}");
        }
    }
}
