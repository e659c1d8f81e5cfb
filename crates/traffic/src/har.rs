//! Records what the simulated clients see as HAR 1.2: a genuine recording of our own, entry by entry.

use std::io::{self, Write};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, Version};
use serde_json::{Value, json};
use threadline_model::{MICROS_PER_DAY, Timestamp};

use crate::actors::ActorRequest;
use crate::wire::Received;

/// Writes a HAR file while traffic runs. Clones write to the same file.
#[derive(Clone)]
pub struct HarRecorder(Arc<Mutex<Recording>>);

struct Recording {
    writer: Box<dyn Write + Send>,
    entries: u64,
}

impl HarRecorder {
    /// Begins a recording; [`finish`](Self::finish) ends it.
    ///
    /// # Errors
    /// When writing fails.
    pub fn begin(mut writer: impl Write + Send + 'static) -> io::Result<Self> {
        let creator = json!({"name": "threadline-traffic", "version": env!("CARGO_PKG_VERSION")});
        write!(writer, "{{\"log\":{{\"version\":\"1.2\",\"creator\":{creator},\"entries\":[")?;
        Ok(Self(Arc::new(Mutex::new(Recording { writer: Box::new(writer), entries: 0 }))))
    }

    /// Closes the list and the document. Nothing may be recorded after it.
    ///
    /// # Errors
    /// When writing fails.
    pub fn finish(&self) -> io::Result<()> {
        let mut recording = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        recording.writer.write_all(b"\n]}}\n")?;
        recording.writer.flush()
    }

    /// Adds one exchange. The client's own address stands in `_clientIPAddress`, as recording proxies write it.
    pub(crate) fn record(
        &self,
        request: &ActorRequest,
        client: IpAddr,
        sent_us: i64,
        took: Duration,
        received: Option<&Received>,
    ) -> io::Result<()> {
        let host = request.headers.get(http::header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let milliseconds = took.as_secs_f64() * 1_000.0;
        let mut sent = json!({
            "method": request.method.as_str(),
            "url": format!("http://{host}{}", request.target),
            "httpVersion": "HTTP/1.1",
            "headers": list(&request.headers),
            "cookies": [],
            "queryString": [],
            "headersSize": -1,
            "bodySize": request.body.len(),
        });
        if !request.body.is_empty() {
            let text = String::from_utf8_lossy(&request.body);
            sent["postData"] = json!({"mimeType": "application/json", "text": text});
        }
        let answer = match received {
            Some(received) => json!({
                "status": received.status,
                "statusText": "",
                "httpVersion": if received.version == Version::HTTP_2 { "HTTP/2" } else { "HTTP/1.1" },
                "headers": list(&received.headers),
                "cookies": [],
                "content": content(received),
                "redirectURL": "",
                "headersSize": -1,
                "bodySize": received.body.len(),
            }),
            None => json!({"status": 0, "statusText": "", "httpVersion": "", "headers": [], "cookies": [],
                           "content": {"size": 0, "mimeType": ""}, "redirectURL": "", "headersSize": -1, "bodySize": -1}),
        };
        let entry = json!({
            "startedDateTime": time(Timestamp::from_micros(sent_us)),
            "time": milliseconds,
            "request": sent,
            "response": answer,
            "cache": {},
            "timings": {"send": 0, "wait": milliseconds, "receive": 0},
            "_clientIPAddress": client.to_string(),
        });
        let mut recording = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let separator = if recording.entries == 0 { "\n" } else { ",\n" };
        recording.entries += 1;
        write!(recording.writer, "{separator}{entry}")
    }
}

fn list(headers: &HeaderMap) -> Vec<Value> {
    headers
        .iter()
        .map(|(name, value)| json!({"name": name.as_str(), "value": String::from_utf8_lossy(value.as_bytes())}))
        .collect()
}

fn content(received: &Received) -> Value {
    let media_type = received.headers.get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let mut content = json!({"size": received.body.len(), "mimeType": media_type.unwrap_or_default()});
    match std::str::from_utf8(&received.body) {
        Ok(text) => content["text"] = Value::from(text),
        Err(_) => {
            content["text"] = Value::from(STANDARD.encode(&received.body));
            content["encoding"] = Value::from("base64");
        }
    }
    content
}

/// RFC 3339, UTC, milliseconds.
fn time(moment: Timestamp) -> String {
    let of_day = moment.micros().rem_euclid(MICROS_PER_DAY) / 1_000;
    let (hours, minutes) = (of_day / 3_600_000, of_day / 60_000 % 60);
    format!("{}T{hours:02}:{minutes:02}:{:02}.{:03}Z", moment.day(), of_day / 1_000 % 60, of_day % 1_000)
}
