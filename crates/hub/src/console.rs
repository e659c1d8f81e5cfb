//! The console's files, built into the binary. Paths without a file are places inside the console and get its page.
//!
//! In debug builds the files are read from `console/dist` when they are asked for.

use std::borrow::Cow;

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "../../console/dist"]
#[allow_missing = true]
struct Files;

const PAGE: &str = "index.html";
const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Threadline</title>\
    <h1>The console is not part of this build</h1>\
    <p>Run <code>make console</code> in the source folder, then build again. The API at <code>/api/v1</code> works.";

/// The file for a path, or the console's page.
pub(crate) fn serve(path: &str, headers: &HeaderMap) -> Response {
    let name = path.strip_prefix('/').unwrap_or(path);
    // Names with these are never ours, and must not reach the file system in debug builds.
    let odd = name.contains("..") || name.contains(['\\', '\0', '%']) || name.starts_with('/');
    if !odd
        && !name.is_empty()
        && let Some(file) = Files::get(name)
    {
        return answer(name, file, headers);
    }
    let is_file = name.starts_with("assets/") || name.rsplit('/').next().is_some_and(|last| last.contains('.'));
    if is_file || odd {
        return crate::problem::Problem::not_found("There is no such file.").into_response();
    }
    match Files::get(PAGE) {
        Some(file) => answer(PAGE, file, headers),
        None => {
            let html = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
            (StatusCode::SERVICE_UNAVAILABLE, html, NOT_BUILT).into_response()
        }
    }
}

fn answer(name: &str, file: rust_embed::EmbeddedFile, headers: &HeaderMap) -> Response {
    let tag = format!("\"{}\"", hexadecimal(&file.metadata.sha256_hash()[..16]));
    // The names of assets hold a hash of their content; everything else may change with the next version.
    let caching = if name.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let known = known.flat_map(|text| text.split(',')).any(|known| known.trim().trim_start_matches("W/") == tag);
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let body = match file.data {
            Cow::Borrowed(bytes) => axum::body::Body::from(bytes),
            Cow::Owned(bytes) => axum::body::Body::from(bytes),
        };
        let mut response = Response::new(body);
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type(name)));
        response
    };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "woff" => "font/woff",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_files_are_not_the_page_and_nothing_outside_is_reached() {
        for path in ["/assets/gone.js", "/favicon.gone", "/../Cargo.toml", "/..%2f", "//etc/passwd", "/assets/../x"] {
            assert_eq!(serve(path, &HeaderMap::new()).status(), StatusCode::NOT_FOUND, "{path}");
        }
    }

    #[test]
    fn places_inside_the_console_get_its_page() {
        let expected = if Files::get(PAGE).is_some() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        for path in ["/", "/sessions", "/sessions/00112233445566778899aabbccddeeff"] {
            let response = serve(path, &HeaderMap::new());
            assert_eq!(response.status(), expected, "{path}");
            assert_eq!(response.headers()[header::CONTENT_TYPE], "text/html; charset=utf-8");
        }
    }
}
