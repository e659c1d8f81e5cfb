//! Questions as SQL. Texts from outside are bound, never written into the text of a statement. What is written in are
//! names from this crate, and numbers, times and identities, which have no other characters than digits and letters:
//! the engine plans a statement before it looks at what is bound, and only what it knows then lets it skip rows.

use duckdb::types::Value;
use threadline_model::{ExchangeId, Network, SessionId, Timestamp};
use threadline_record::address_bytes;
use threadline_store::{Choice, Filters, StatusFilter, TimeRange};

use crate::files::Lease;
use crate::packed;

/// The texts bound to one statement.
#[derive(Debug, Default)]
pub(crate) struct Parameters(pub(crate) Vec<Value>);

impl Parameters {
    /// Binds a text and gives its place in the statement.
    pub(crate) fn text(&mut self, text: impl Into<String>) -> String {
        self.0.push(Value::Text(text.into()));
        format!("${}", self.0.len())
    }

    fn texts(&mut self, values: &[String]) -> String {
        values.iter().map(|value| self.text(value.as_str())).collect::<Vec<_>>().join(", ")
    }
}

/// 16 bytes as the engine's UUID.
pub(crate) fn identity(bytes: [u8; 16]) -> String {
    format!("'{}'::UUID", uuid::Uuid::from_bytes(bytes))
}

/// An address as the table holds it.
fn address(bytes: [u8; 16]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("\\x{byte:02X}")).collect();
    format!("'{digits}'::BLOB")
}

/// The moments that the engine can tell from infinity, year 1 to 9999.
const FIRST_MICROS: i64 = -62_135_596_800_000_000;
const LAST_MICROS: i64 = 253_402_300_799_999_999;

/// A moment. Beyond the years 1 to 9999, where no exchange is kept, the nearest moment within.
pub(crate) fn time(moment: Timestamp) -> String {
    format!("make_timestamp({})", moment.micros().clamp(FIRST_MICROS, LAST_MICROS))
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
                let in_range = within(range);
                let list = parameters.texts(values);
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
    let mut all = vec![within(range)];
    text_choice("application", &filters.application, parameters, &mut all);
    text_choice("host", &filters.host, parameters, &mut all);
    text_choice("method", &filters.method, parameters, &mut all);
    text_choice("\"user\"", &filters.user, parameters, &mut all);
    text_choice("role", &filters.role, parameters, &mut all);
    text_choice("session_key", &filters.key, parameters, &mut all);
    text_choice("session_key_kind", &filters.key_kind, parameters, &mut all);
    text_choice("outcome", &filters.outcome, parameters, &mut all);
    text_choice("session_value", &filters.value, parameters, &mut all);
    for (name, values) in &filters.parameters {
        choice(values, parameters, &mut all, |values, parameters| {
            any(values, |value| exported_parameter(name, value, parameters))
        });
    }
    choice(&filters.session, parameters, &mut all, |sessions, _| {
        let list: Vec<String> = sessions.iter().map(|id: &SessionId| identity(*id.as_bytes())).collect();
        format!("session_id IN ({})", list.join(", "))
    });
    choice(&filters.exchange, parameters, &mut all, |exchanges, _| {
        let list: Vec<String> = exchanges.iter().map(|id: &ExchangeId| identity(*id.as_bytes())).collect();
        format!("exchange_id IN ({})", list.join(", "))
    });
    choice(&filters.ip, parameters, &mut all, |networks, _| any(networks, network));
    choice(&filters.status, parameters, &mut all, |statuses, _| any(statuses, status));
    choice(&filters.endpoint, parameters, &mut all, |texts, parameters| {
        any(texts, |text| {
            let text = parameters.text(text.as_str());
            format!("{} OR {}", contains("endpoint", &text), contains("path", &text))
        })
    });
    if let Some(text) = filters.search.as_deref().filter(|text| !text.is_empty()) {
        all.push(search(text, parameters));
    }
    all.join(" AND ")
}

/// The condition that a range is.
pub(crate) fn within(range: TimeRange) -> String {
    format!("ts >= {} AND ts < {}", time(range.from), time(range.to))
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
    choice(values, parameters, all, |values, parameters| format!("{column} IN ({})", parameters.texts(values)));
}

fn any<T>(values: &[T], matches: impl FnMut(&T) -> String) -> String {
    format!("({})", values.iter().map(matches).collect::<Vec<_>>().join(") OR ("))
}

fn network(network: &Network) -> String {
    let [first, last] = network_bounds(network);
    format!("client_ip BETWEEN {} AND {}", address(first), address(last))
}

/// The first and last address of a network, mapped into IPv6. A prefix that is too long is a single address.
fn network_bounds(network: &Network) -> [[u8; 16]; 2] {
    let mapped = if network.address.is_ipv4() { 96 } else { 0 };
    let free_bits = 128_u32.saturating_sub(mapped + u32::from(network.prefix));
    let free = u128::MAX.checked_shr(128 - free_bits).unwrap_or(0);
    let address = u128::from_be_bytes(address_bytes(network.address));
    [(address & !free).to_be_bytes(), (address | free).to_be_bytes()]
}

fn status(filter: &StatusFilter) -> String {
    match filter {
        StatusFilter::None => "status IS NULL".to_owned(),
        StatusFilter::Exact(code) => format!("status = {code}"),
        StatusFilter::Class(class) => {
            let first = u16::from(*class) * 100;
            format!("status BETWEEN {first} AND {}", first + 99)
        }
    }
}

/// A parameter stands in the packed list with its value, or with the number of the column that has the value.
fn exported_parameter(name: &str, value: &str, parameters: &mut Parameters) -> String {
    let written = parameters.text(packed::beginning_with(name, value));
    let mut condition = format!("contains(params, {written})");
    let value = parameters.text(value);
    for (column, beginning) in packed::beginnings_shared(name) {
        let beginning = parameters.text(beginning);
        condition.push_str(&format!(" OR (\"{column}\" = {value} AND contains(params, {beginning}))"));
    }
    condition
}

/// Free text: identities and addresses exactly, everything else contained.
fn search(text: &str, parameters: &mut Parameters) -> String {
    let place = parameters.text(text);
    let columns = ["endpoint", "host", "path", "\"user\"", "user_agent", "session_value"];
    let mut any: Vec<String> = columns.iter().map(|column| contains(column, &place)).collect();
    if let Ok(id) = text.parse::<SessionId>() {
        let id = identity(*id.as_bytes());
        any.push(format!("session_id = {id} OR trace_id = {id}"));
    }
    if let Ok(client) = text.parse() {
        any.push(format!("client_ip = {}", address(address_bytes(client))));
    }
    format!("({})", any.join(" OR "))
}

/// Whether a column contains a bound text, without regard to case. The engine's ILIKE takes ten times as long where it
/// does not know the pattern when it plans.
fn contains(column: &str, text: &str) -> String {
    format!("contains(lower({column}), lower({text}))")
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
    fn text_from_outside_is_bound() {
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
        assert!(condition.starts_with(&format!("ts >= make_timestamp({FIRST_MICROS})")), "{condition}");
        assert_eq!(parameters.0[0], Value::Text(hostile.to_owned()));
        assert_eq!(parameters.0[1], Value::Text(hostile.to_owned()));
    }
}
