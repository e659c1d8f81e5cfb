//! Taking one page after another. The store's tokens hold the range of the first page, so that `last=1h` means the
//! same hour on every page of one list; lists of the hub's own state count down by number.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use threadline_store::{PageRequest, PageToken};

use super::query::{AskedRange, QueryParameters};

/// Rows a page may have.
pub(crate) const LIMITS: std::ops::RangeInclusive<u32> = 1..=500;
/// Leads every token of the hub's own lists, so that a later layout can be told from this one.
const VERSION: u8 = 1;
const FOREIGN: &str = "is not a token of this list; take it from the answer before";

/// Takes `limit` and `page_token`. A token fixes the range that was asked for as moving or not at all.
pub(crate) fn take_page(query: &mut QueryParameters, asked: AskedRange, default: u32) -> (PageRequest, AskedRange) {
    let limit = query.take_number("limit", default, LIMITS);
    let Some(token) = query.take_one("page_token") else {
        return (PageRequest { limit, token: None }, asked);
    };
    match (PageToken::range(&token), asked) {
        (Ok(range), AskedRange::Fixed(fixed)) if fixed != range => {
            query.refuse("page_token", "belongs to a list over another time range");
        }
        (Ok(range), _) if range.from < range.to => {
            return (PageRequest { limit, token: Some(token) }, AskedRange::Fixed(range));
        }
        _ => query.refuse("page_token", FOREIGN),
    }
    (PageRequest { limit, token: None }, asked)
}

/// Takes `limit` and `page_token` of a list that counts down: the number that the page must stay below.
pub(crate) fn take_descending_page(query: &mut QueryParameters) -> (u32, Option<u64>) {
    let limit = query.take_number("limit", 50, LIMITS);
    let before = query.take_one("page_token").and_then(|text| {
        let number = decode_number(&text);
        if number.is_none() {
            query.refuse("page_token", FOREIGN);
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

    use threadline_model::Timestamp;
    use threadline_store::{Filters, ListKind, TimeRange};

    use super::*;

    const RANGE: TimeRange = TimeRange { from: Timestamp::from_micros(5), to: Timestamp::from_micros(9) };

    fn take(query: &str, asked: AskedRange) -> Result<AskedRange, ()> {
        let mut parameters = QueryParameters::parse(Some(query)).unwrap();
        let (_, range) = take_page(&mut parameters, asked, 50);
        parameters.finish().map(|()| range).map_err(|_| ())
    }

    #[test]
    fn a_token_holds_the_range_of_the_first_page() {
        let token = PageToken { snapshot: RANGE.to, ts: RANGE.from, id: [7; 16] };
        let query = format!("page_token={}", token.encode(ListKind::Sessions, RANGE, &Filters::default()));
        let moved = TimeRange { to: Timestamp::from_micros(100), ..RANGE };
        for asked in [AskedRange::Moving(moved), AskedRange::All, AskedRange::Unsaid, AskedRange::Fixed(RANGE)] {
            assert_eq!(take(&query, asked), Ok(AskedRange::Fixed(RANGE)));
        }
        assert!(take(&query, AskedRange::Fixed(moved)).is_err());
    }

    #[test]
    fn foreign_tokens_are_refused() {
        for token in ["", "abc", "!", &"A".repeat(5_000)] {
            assert!(take(&format!("page_token={token}"), AskedRange::Unsaid).is_err(), "{token}");
            let mut parameters = QueryParameters::parse(Some(&format!("page_token={token}"))).unwrap();
            take_descending_page(&mut parameters);
            assert!(parameters.finish().is_err(), "{token}");
        }
    }

    #[test]
    fn a_full_page_of_a_list_that_counts_down_has_a_next_one_until_number_1() {
        let token = descending_token(&[9_u64, 8], 2, |number| *number).unwrap();
        let mut parameters = QueryParameters::parse(Some(&format!("limit=2&page_token={token}"))).unwrap();
        assert_eq!(take_descending_page(&mut parameters), (2, Some(8)));
        assert_eq!(descending_token(&[9_u64, 8], 3, |number| *number), None);
        assert_eq!(descending_token(&[2_u64, 1], 2, |number| *number), None);
    }
}
