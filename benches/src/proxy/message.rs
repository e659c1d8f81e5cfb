//! The messages of the load: the reference stream's requests as bytes and as a script for wrk.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use threadline_model::Timestamp;
use threadline_traffic::generate::ReferenceStream;

use super::Unmeasured;

/// Different requests in the cycle.
const DISTINCT: usize = 256;

/// What is sent and what comes back.
pub(super) struct Messages {
    /// A script for wrk that sends the same GET again and again.
    pub(super) plain_script: PathBuf,
    /// A script for wrk that sends `posted` in turn.
    pub(super) posted_script: PathBuf,
    /// Whole requests.
    pub(super) posted: Vec<Vec<u8>>,
    /// The body of every response.
    pub(super) response: String,
}

impl Messages {
    /// Makes them, and writes the scripts into `folder`.
    pub(super) fn write(folder: &Path) -> Result<Self, Unmeasured> {
        let mut posted = Vec::new();
        let mut response = String::new();
        let stream = ReferenceStream::new(1, DISTINCT as u32, Timestamp::from_micros(1_790_000_000_000_000));
        for exchange in stream.take(DISTINCT) {
            let request = &exchange.request;
            let body = request.body.as_bytes();
            let mut bytes = Vec::new();
            for part in [request.method.as_bytes(), b" ", request.target.as_bytes(), b" HTTP/1.1\r\nhost: bench\r\n"] {
                bytes.extend_from_slice(part);
            }
            for (name, value) in request.headers.as_map() {
                if !matches!(name.as_str(), "host" | "content-length") {
                    for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
                        bytes.extend_from_slice(part);
                    }
                }
            }
            bytes.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
            bytes.extend_from_slice(body);
            posted.push(bytes);
            if let Some(answered) = &exchange.response
                && response.is_empty()
            {
                response = String::from_utf8_lossy(answered.body.as_bytes()).into_owned();
            }
        }

        let plain =
            "GET /orders HTTP/1.1\r\nhost: bench\r\naccept: */*\r\nuser-agent: Mozilla/5.0 (X11; Linux x86_64)\r\n\r\n";
        let plain_script = folder.join("plain.lua");
        let posted_script = folder.join("posted.lua");
        for (path, requests) in [(&plain_script, &[plain.as_bytes().to_vec()][..]), (&posted_script, &posted[..])] {
            std::fs::write(path, script(requests)).map_err(|error| Unmeasured::new("a script for wrk", error))?;
        }
        Ok(Self { plain_script, posted_script, posted, response })
    }
}

/// Lua that gives the requests in turn.
fn script(requests: &[Vec<u8>]) -> String {
    let mut script = String::from("local requests = {\n");
    for request in requests {
        script.push('"');
        for byte in request {
            // Writing to a String cannot fail.
            let _ = write!(script, "\\{byte:03}");
        }
        script.push_str("\",\n");
    }
    script.push_str(
        "}\nlocal turn = 0\nrequest = function()\n  turn = turn % #requests + 1\n  return requests[turn]\nend\n",
    );
    script
}
