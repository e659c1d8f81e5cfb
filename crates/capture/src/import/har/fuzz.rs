//! The logic of the HAR fuzz target.

use std::io::Cursor;

use super::{HarReader, HarSettings};

/// Reads `data` as HAR and checks what must hold for any bytes: no panic, an end, bounded copies, consistent counts.
///
/// # Panics
/// When one of these does not hold.
pub fn fuzz_har(data: &[u8]) {
    let settings = HarSettings { body_limit: 64, entry_limit: 4_096 };
    let Ok(mut reader) = HarReader::new(Cursor::new(data), settings) else { return };
    let mut exchanges = 0;
    let mut errors = 0;
    for item in reader.by_ref() {
        match item {
            Ok(exchange) => {
                exchanges += 1;
                assert!(exchange.request.body.as_bytes().len() <= settings.body_limit);
                assert!(exchange.response.is_none_or(|response| response.body.as_bytes().len() <= settings.body_limit));
            }
            Err(error) => {
                errors += 1;
                assert!(error.offset <= data.len() as u64, "an error outside of the file");
            }
        }
        assert!(exchanges + errors <= data.len(), "more items than bytes");
    }
    let counts = reader.counts();
    assert_eq!((counts.exchanges, counts.damaged), (exchanges, errors));
    assert!(counts.exchanges + counts.local <= counts.entries);
}
