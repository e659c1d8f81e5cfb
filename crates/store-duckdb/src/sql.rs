//! Questions as SQL. Values from outside are bound, never written into the text; what is written in are names from
//! this crate and numbers that it counted.

use duckdb::types::{TimeUnit, Value};
use threadline_model::{ExchangeId, SessionId, Timestamp};
use threadline_record::address_bytes;
use threadline_store::{Choice, Filters, Network, StatusFilter, TimeRange};

use crate::files::Lease;

/// The values bound to one statement.
#[derive(Debug, Default)]
pub(crate) struct Parameters(pub(crate) Vec<Value>);

impl Parameters {
    /// Binds a value and gives its place in the text.
    pub(crate) fn bind(&mut self, value: Value) -> String {
        self.0.push(value);
        format!("${}", self.0.len())
    }

    /// Binds text.
    pub(crate) fn text(&mut self, text: impl Into<String>) -> String {
        self.bind(Value::Text(text.into()))
    }

    /// Binds 16 bytes.
    pub(crate) fn identity(&mut self, bytes: [u8; 16]) -> String {
        let place = self.text(uuid::Uuid::from_bytes(bytes).to_string());
        format!("{place}::UUID")
    }

    /// Binds an address as the table holds it.
    pub(crate) fn address(&mut self, bytes: [u8; 16]) -> String {
        self.bind(Value::Blob(bytes.to_vec()))
    }

    /// Binds a moment.
    pub(crate) fn time(&mut self, moment: Timestamp) -> String {
        self.bind(time(moment))
    }

    fn list<T>(&mut self, values: &[T], mut bind: impl FnMut(&mut Self, &T) -> String) -> String {
        values.iter().map(|value| bind(self, value)).collect::<Vec<_>>().join(", ")
    }
}

/// The moments that the engine can tell from infinity, year 1 to 9999.
const FIRST_MICROS: i64 = -62_135_596_800_000_000;
const LAST_MICROS: i64 = 253_402_300_799_999_999;

/// A moment as a value to bind. Beyond the years 1 to 9999, where no exchange is kept, the nearest moment within.
pub(crate) fn time(moment: Timestamp) -> Value {
    Value::Timestamp(TimeUnit::Microsecond, moment.micros().clamp(FIRST_MICROS, LAST_MICROS))
}

/// The rows of the leased files, with a column `day` in front. Live files know their day; imports are asked.
pub(crate) fn rows_of(leases: &[Lease]) -> String {
    let parts: Vec<String> = leases
        .iter()
        .map(|lease| {
            let (key, alias) = (lease.file.key, &lease.file.alias);
            let day = if key.live { format!("DATE '{}'", key.day) } else { "ts::DATE".to_owned() };
            format!("SELECT {day} AS day, * FROM {alias}.exchanges")
        })
        .collect();
    format!("({})", parts.join(" UNION ALL "))
}

/// The condition of a question about sessions: user and role choose sessions, because few exchanges of a session carry
/// them; everything else chooses exchanges. `rows` are those of [`rows_of`].
pub(crate) fn condition_of_sessions(
    rows: &str,
    range: TimeRange,
    filters: &Filters,
    parameters: &mut Parameters,
) -> String {
    let (user, role) = (&filters.user, &filters.role);
    let mut all = vec![condition(range, &of_exchanges(filters), parameters)];
    for (column, values) in [("\"user\"", user), ("role", role)] {
        for (values, word) in [(&values.any, "IN"), (&values.not, "NOT IN")] {
            if !values.is_empty() {
                let in_range = condition(range, &Filters::default(), parameters);
                let list = parameters.list(values, |parameters, value| parameters.text(value.as_str()));
                all.push(format!(
                    "session_id {word} (SELECT session_id FROM {rows} WHERE {in_range} AND {column} IN ({list}))"
                ));
            }
        }
    }
    all.join(" AND ")
}

/// The filters that choose exchanges also in a question about sessions.
pub(crate) fn of_exchanges(filters: &Filters) -> Filters {
    Filters { user: Choice::default(), role: Choice::default(), ..filters.clone() }
}

/// The condition of a question about exchanges: a range and filters.
pub(crate) fn condition(range: TimeRange, filters: &Filters, parameters: &mut Parameters) -> String {
    let mut all = vec![format!("ts >= {}", parameters.time(range.from)), format!("ts < {}", parameters.time(range.to))];
    text_choice("application", &filters.application, parameters, &mut all);
    text_choice("host", &filters.host, parameters, &mut all);
    text_choice("method", &filters.method, parameters, &mut all);
    text_choice("\"user\"", &filters.user, parameters, &mut all);
    text_choice("role", &filters.role, parameters, &mut all);
    text_choice("session_key", &filters.key, parameters, &mut all);
    text_choice("session_key_kind", &filters.key_kind, parameters, &mut all);
    text_choice("outcome", &filters.outcome, parameters, &mut all);
    choice(&filters.session, parameters, &mut all, |sessions, parameters| {
        let list = parameters.list(sessions, |parameters, id: &SessionId| parameters.identity(*id.as_bytes()));
        format!("session_id IN ({list})")
    });
    choice(&filters.exchange, parameters, &mut all, |exchanges, parameters| {
        let list = parameters.list(exchanges, |parameters, id: &ExchangeId| parameters.identity(*id.as_bytes()));
        format!("exchange_id IN ({list})")
    });
    choice(&filters.ip, parameters, &mut all, |networks, parameters| any(networks, parameters, network));
    choice(&filters.status, parameters, &mut all, |statuses, parameters| any(statuses, parameters, status));
    choice(&filters.endpoint, parameters, &mut all, |texts, parameters| {
        any(texts, parameters, |text, parameters| {
            let pattern = parameters.text(contains_pattern(text));
            format!("endpoint ILIKE {pattern} ESCAPE '\\' OR path ILIKE {pattern} ESCAPE '\\'")
        })
    });
    if let Some(text) = filters.search.as_deref().filter(|text| !text.is_empty()) {
        all.push(search(text, parameters));
    }
    all.join(" AND ")
}

/// Adds both halves of a choice. What is refused must not be refused for being unknown: `NOT (NULL)` is not true.
fn choice<T>(
    choice: &Choice<T>,
    parameters: &mut Parameters,
    all: &mut Vec<String>,
    matches: impl Fn(&[T], &mut Parameters) -> String,
) {
    if !choice.any.is_empty() {
        all.push(format!("({})", matches(&choice.any, parameters)));
    }
    if !choice.not.is_empty() {
        all.push(format!("({}) IS NOT TRUE", matches(&choice.not, parameters)));
    }
}

fn text_choice(column: &str, values: &Choice<String>, parameters: &mut Parameters, all: &mut Vec<String>) {
    choice(values, parameters, all, |values, parameters| {
        format!("{column} IN ({})", parameters.list(values, |parameters, value| parameters.text(value.as_str())))
    });
}

fn any<T>(values: &[T], parameters: &mut Parameters, matches: impl Fn(&T, &mut Parameters) -> String) -> String {
    values.iter().map(|value| format!("({})", matches(value, parameters))).collect::<Vec<_>>().join(" OR ")
}

fn network(network: &Network, parameters: &mut Parameters) -> String {
    let [first, last] = network_bounds(network);
    format!("client_ip BETWEEN {} AND {}", parameters.address(first), parameters.address(last))
}

/// The first and last address of a network, mapped into IPv6. A prefix that is too long is a single address.
fn network_bounds(network: &Network) -> [[u8; 16]; 2] {
    let mapped = if network.address.is_ipv4() { 96 } else { 0 };
    let free_bits = 128_u32.saturating_sub(mapped + u32::from(network.prefix));
    let free = u128::MAX.checked_shr(128 - free_bits).unwrap_or(0);
    let address = u128::from_be_bytes(address_bytes(network.address));
    [(address & !free).to_be_bytes(), (address | free).to_be_bytes()]
}

fn status(filter: &StatusFilter, parameters: &mut Parameters) -> String {
    match filter {
        StatusFilter::None => "status IS NULL".to_owned(),
        StatusFilter::Exact(code) => format!("status = {}", parameters.bind(Value::USmallInt(*code))),
        StatusFilter::Class(class) => {
            let first = u16::from(*class) * 100;
            let (first, last) = (Value::USmallInt(first), Value::USmallInt(first + 99));
            format!("status BETWEEN {} AND {}", parameters.bind(first), parameters.bind(last))
        }
    }
}

/// Free text: identities and addresses exactly, everything else contained.
fn search(text: &str, parameters: &mut Parameters) -> String {
    let pattern = parameters.text(contains_pattern(text));
    let mut any: Vec<String> = ["\"user\"", "host", "path", "endpoint", "user_agent", "session_value"]
        .iter()
        .map(|column| format!("{column} ILIKE {pattern} ESCAPE '\\'"))
        .collect();
    if let Ok(id) = text.parse::<SessionId>() {
        let place = parameters.identity(*id.as_bytes());
        any.push(format!("session_id = {place} OR trace_id = {place}"));
    }
    if let Ok(address) = text.parse() {
        any.push(format!("client_ip = {}", parameters.address(address_bytes(address))));
    }
    format!("({})", any.join(" OR "))
}

/// A LIKE pattern for texts that contain this one; `\` is the escape character.
fn contains_pattern(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for character in text.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_become_the_addresses_from_first_to_last() {
        let bounds = |address: &str, prefix| {
            let network = Network { address: address.parse().unwrap(), prefix };
            network_bounds(&network).map(|bytes| threadline_record::address_from_bytes(bytes).to_string())
        };
        assert_eq!(bounds("10.1.2.3", 8), ["10.0.0.0", "10.255.255.255"]);
        assert_eq!(bounds("10.1.2.3", 32), ["10.1.2.3", "10.1.2.3"]);
        assert_eq!(bounds("10.1.2.3", 99), ["10.1.2.3", "10.1.2.3"]);
        assert_eq!(bounds("10.1.2.3", 0), ["0.0.0.0", "255.255.255.255"]);
        assert_eq!(bounds("2001:db8::7", 32), ["2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"]);
        assert_eq!(bounds("::7", 0)[1], "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
    }

    #[test]
    fn text_from_outside_is_bound_and_escaped() {
        let mut parameters = Parameters::default();
        let hostile = "100%_\\'; DROP TABLE exchanges --";
        let filters = Filters {
            host: Choice { any: vec![hostile.to_owned()], not: Vec::new() },
            search: Some(hostile.to_owned()),
            ..Filters::default()
        };
        let range = TimeRange { from: Timestamp::from_micros(i64::MIN), to: Timestamp::from_micros(i64::MAX) };
        let condition = condition(range, &filters, &mut parameters);
        assert!(!condition.contains("DROP"), "{condition}");
        assert_eq!(parameters.0[0], Value::Timestamp(TimeUnit::Microsecond, FIRST_MICROS));
        assert_eq!(parameters.0[2], Value::Text(hostile.to_owned()));
        assert_eq!(parameters.0[3], Value::Text("%100\\%\\_\\\\'; DROP TABLE exchanges --%".to_owned()));
    }
}
