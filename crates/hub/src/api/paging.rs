//! Page tokens of the hub: the store's token together with the range of the first page, so that `last=1h` means the
//! same hour on every page of one list.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use threadline_model::Timestamp;
use threadline_store::{PageRequest, TimeRange};

use super::query::{AskedRange, QueryParameters};

/// Leads every token, so that a later layout can be told from this one.
const VERSION: u8 = 1;
/// Tokens longer than this are none of ours.
const MAXIMUM_BYTES: usize = 4_096;

/// Rows a page may have.
pub(crate) const LIMITS: std::ops::RangeInclusive<u32> = 1..=500;

/// Makes the token of a next page.
pub(crate) fn encode(range: TimeRange, token: &str) -> String {
    let mut bytes = vec![VERSION];
    bytes.extend_from_slice(&range.from.micros().to_be_bytes());
    bytes.extend_from_slice(&range.to.micros().to_be_bytes());
    bytes.extend_from_slice(token.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decode(text: &str) -> Option<(TimeRange, String)> {
    if text.len() > MAXIMUM_BYTES {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (&version, rest) = bytes.split_first()?;
    let (from, rest) = rest.split_first_chunk::<8>()?;
    let (to, token) = rest.split_first_chunk::<8>()?;
    let [from, to] = [from, to].map(|micros| Timestamp::from_micros(i64::from_be_bytes(*micros)));
    let sane = version == VERSION && from < to && from >= super::time::EARLIEST && to <= super::time::LATEST;
    let token = std::str::from_utf8(token).ok()?;
    sane.then(|| (TimeRange { from, to }, token.to_owned()))
}

/// Takes `limit` and `page_token`. A token fixes the range that was asked for as moving or not at all.
pub(crate) fn take_page(query: &mut QueryParameters, asked: AskedRange, default: u32) -> (PageRequest, AskedRange) {
    let limit = query.take_number("limit", default, LIMITS);
    let Some(text) = query.take_one("page_token") else {
        return (PageRequest { limit, token: None }, asked);
    };
    match (decode(&text), asked) {
        (None, _) => {
            query.refuse("page_token", "is not a token of this list; take it from the answer before");
            (PageRequest { limit, token: None }, asked)
        }
        (Some((range, _)), AskedRange::Fixed(fixed)) if fixed != range => {
            query.refuse("page_token", "belongs to a list over another time range");
            (PageRequest { limit, token: None }, asked)
        }
        (Some((range, token)), _) => (PageRequest { limit, token: Some(token) }, AskedRange::Fixed(range)),
    }
}

/// Takes `limit` and `page_token` of a list that counts down: the number that the page must stay below.
pub(crate) fn take_descending_page(query: &mut QueryParameters) -> (u32, Option<u64>) {
    let limit = query.take_number("limit", 50, LIMITS);
    let before = query.take_one("page_token").and_then(|text| {
        let number = decode_number(&text);
        if number.is_none() {
            query.refuse("page_token", "is not a token of this list; take it from the answer before");
        }
        number
    });
    (limit, before)
}

/// The token that continues after a full page of a list that counts down.
pub(crate) fn descending_token<T>(page: &[T], limit: u32, number: impl Fn(&T) -> u64) -> Option<String> {
    let last = page.last().map(number).filter(|last| *last > 1 && page.len() >= limit as usize)?;
    let mut bytes = vec![VERSION];
    bytes.extend_from_slice(&last.to_be_bytes());
    Some(URL_SAFE_NO_PAD.encode(bytes))
}

fn decode_number(text: &str) -> Option<u64> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (&version, rest) = bytes.split_first()?;
    let number = u64::from_be_bytes(rest.try_into().ok()?);
    (version == VERSION && i64::try_from(number).is_ok()).then_some(number)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const RANGE: TimeRange = TimeRange { from: Timestamp::from_micros(5), to: Timestamp::from_micros(9) };

    fn take(query: &str, asked: AskedRange) -> Result<(PageRequest, AskedRange), ()> {
        let mut parameters = QueryParameters::parse(Some(query)).unwrap();
        let taken = take_page(&mut parameters, asked, 50);
        parameters.finish().map(|()| taken).map_err(|_| ())
    }

    #[test]
    fn a_token_holds_the_range_of_the_first_page() {
        let query = format!("page_token={}", encode(RANGE, "abc"));
        let moved = TimeRange { to: Timestamp::from_micros(100), ..RANGE };
        for asked in [AskedRange::Moving(moved), AskedRange::All, AskedRange::Unsaid, AskedRange::Fixed(RANGE)] {
            let (page, range) = take(&query, asked).unwrap();
            assert_eq!((page.token.as_deref(), range), (Some("abc"), AskedRange::Fixed(RANGE)));
        }
        assert!(take(&query, AskedRange::Fixed(moved)).is_err());
    }

    #[test]
    fn foreign_tokens_are_refused() {
        let damaged = URL_SAFE_NO_PAD.encode([2; 40]);
        for token in ["", "abc", "!", damaged.as_str(), &"A".repeat(5_000)] {
            assert!(take(&format!("page_token={token}"), AskedRange::Unsaid).is_err(), "{token}");
        }
    }
}
