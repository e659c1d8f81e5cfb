//! Between the node, which keeps exchanges and reads samples, and the hub, which shows them and must know neither ring
//! nor parser. What goes to the hub has the masks applied here, on the node's side.

use std::io::Cursor;
use std::sync::Arc;

use threadline_capture::import::har::{HarReader, HarSettings};
use threadline_capture::import::message::{self, SampleFault};
use threadline_hub::{RecentExchange, RecentLimits, Sample, SampleError};
use threadline_model::{Clock, Exchange, ExchangeId};
use threadline_node::RecentExchanges;
use threadline_points::{Bounds, blank};
use threadline_policy::Policy;

/// Bytes kept of each body of a sample: all that a request to the hub can hold.
const SAMPLE_BODY_BYTES: usize = 1 << 20;

/// A node's exchanges as the hub may see them.
pub(crate) struct Shown {
    pub(crate) kept: Arc<RecentExchanges>,
    pub(crate) bounds: Bounds,
}

impl Shown {
    fn show(&self, kept: &threadline_node::RecentExchange, policy: &Policy) -> RecentExchange {
        let masks = policy.masked_in(&kept.exchange);
        RecentExchange { exchange: blank(&kept.exchange, &masks, self.bounds), session: kept.session, masks }
    }
}

impl threadline_hub::RecentExchanges for Shown {
    fn configure(&self, limits: Option<RecentLimits>) {
        let limits = limits.map(|RecentLimits { exchanges, bytes }| threadline_node::RecentLimits { exchanges, bytes });
        self.kept.configure(limits);
    }

    fn count(&self) -> usize {
        self.kept.count()
    }

    fn list(&self, policy: &Policy) -> Vec<RecentExchange> {
        self.kept.list().iter().map(|kept| self.show(kept, policy)).collect()
    }

    fn find(&self, id: ExchangeId, policy: &Policy) -> Option<RecentExchange> {
        self.kept.find(id).map(|kept| self.show(&kept, policy))
    }
}

/// Reads a sample that somebody wrote down for the hub.
pub(crate) fn read_sample(sample: Sample, clock: &dyn Clock) -> Result<Exchange, SampleError> {
    match sample {
        Sample::Messages { request, response } => {
            let bytes = |text: &Option<String>| text.as_ref().map(|text| text.as_bytes().to_vec());
            message::read(bytes(&request).as_deref(), bytes(&response).as_deref(), clock.now()).map_err(|fault| {
                match fault {
                    SampleFault::Request(error) => SampleError { field: "request", reason: error.to_string() },
                    SampleFault::Response(error) => SampleError { field: "response", reason: error.to_string() },
                }
            })
        }
        Sample::HarEntry(entry) => read_entry(&entry),
    }
}

fn read_entry(entry: &str) -> Result<Exchange, SampleError> {
    /// When a sample was recorded matters to nobody, and an entry without a time is none to the reader.
    const SOME_TIME: &str = "2000-01-01T00:00:00Z";
    let refused = |reason: String| SampleError { field: "har_entry", reason };
    let mut entry: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(entry).map_err(|_| refused("is not a JSON object".to_owned()))?;
    entry.entry("startedDateTime").or_insert_with(|| SOME_TIME.into());
    let file = serde_json::json!({"log": {"version": "1.2", "entries": [entry]}}).to_string();
    let settings = HarSettings { body_limit: SAMPLE_BODY_BYTES, ..HarSettings::default() };
    let mut reader =
        HarReader::new(Cursor::new(file), settings).map_err(|_| refused("is not an entry of a HAR file".to_owned()))?;
    match reader.next() {
        Some(Ok(exchange)) => Ok(exchange),
        Some(Err(error)) => Err(refused(error.reason.to_string())),
        None => Err(refused("never left the browser: its URL is not one of HTTP".to_owned())),
    }
}
