//! Every route of the API with who may call it: the one table to read and to change.
//!
//! A route that is missing from the table cannot be called at all. The OpenAPI document takes its security
//! requirements from here, and a test holds the router, the table and the document against each other.

use std::sync::Arc;

use http::Method;
use utoipa::OpenApi;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{Content, Ref, ResponseBuilder};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::{
    batches, clients, download, exports, hashes, keys, leaving, overview, people, points, policy, policy_document,
    policy_versions, purges, recent, sessions, sign_in, status, try_out,
};
use crate::hub::Inner;
use crate::problem::ProblemDetails;
use crate::security::Role::{self, Admin, Analyst, Node, Viewer};

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Anybody who reaches the hub.
    Anybody,
    /// Whoever is signed in or has an API token with one of these roles.
    Roles(&'static [Role]),
}

/// Whoever may look at what is stored.
const READERS: Access = Access::Roles(&[Admin, Analyst, Viewer]);
/// People and programs, nodes included.
const EVERY_ROLE: Access = Access::Roles(&[Admin, Analyst, Viewer, Node]);
/// Whoever judges sessions: who tries a value out learns whether it was seen.
const JUDGES: Access = Access::Roles(&[Admin, Analyst]);
/// A policy decides which values leave a node (and become visible to all readers), so it is an administrator's; so is
/// what points are tried out on.
const ADMINISTRATORS: Access = Access::Roles(&[Admin]);

/// Where the API lives.
pub(crate) const PREFIX: &str = "/api/v1";

/// Method, path below [`PREFIX`], who may.
#[rustfmt::skip]
pub(crate) const TABLE: &[(Method, &str, Access)] = &[
    (Method::GET,    "/first-run",                          Access::Anybody),
    (Method::POST,   "/first-run",                          Access::Anybody),
    (Method::POST,   "/sign-in",                            Access::Anybody),
    (Method::POST,   "/sign-out",                           Access::Anybody),
    (Method::GET,    "/openapi.json",                       Access::Anybody),
    (Method::GET,    "/me",                                 EVERY_ROLE),
    (Method::PUT,    "/me/password",                        READERS),
    (Method::GET,    "/sessions",                           READERS),
    (Method::GET,    "/sessions/{session_id}",              READERS),
    (Method::GET,    "/sessions/{session_id}/exchanges",    READERS),
    (Method::GET,    "/sessions.csv",                       READERS),
    (Method::GET,    "/sessions/{session_id}/exchanges.csv", READERS),
    (Method::GET,    "/exchanges/{exchange_id}",            READERS),
    (Method::GET,    "/facets",                             READERS),
    (Method::GET,    "/histogram",                          READERS),
    (Method::POST,   "/hashes",                             JUDGES),
    (Method::GET,    "/exports",                            READERS),
    (Method::GET,    "/policy",                             EVERY_ROLE),
    (Method::PUT,    "/policy",                             ADMINISTRATORS),
    (Method::POST,   "/policy/check",                       READERS),
    (Method::POST,   "/policy/try",                         ADMINISTRATORS),
    (Method::POST,   "/policy/exports",                     ADMINISTRATORS),
    (Method::GET,    "/policy/parameters",                  EVERY_ROLE),
    (Method::PUT,    "/policy/parameters",                  ADMINISTRATORS),
    (Method::GET,    "/policy/keys",                        READERS),
    (Method::GET,    "/policy/clients",                     ADMINISTRATORS),
    (Method::POST,   "/policy/points/check",                READERS),
    (Method::GET,    "/policy/versions",                    READERS),
    (Method::GET,    "/policy/versions/{version}",          READERS),
    (Method::GET,    "/policy/versions/{version}/changes",  READERS),
    (Method::POST,   "/points/preview",                     ADMINISTRATORS),
    (Method::POST,   "/points/list",                        ADMINISTRATORS),
    (Method::GET,    "/recent-exchanges",                   ADMINISTRATORS),
    (Method::GET,    "/recent-exchanges/settings",          ADMINISTRATORS),
    (Method::PUT,    "/recent-exchanges/settings",          ADMINISTRATORS),
    (Method::GET,    "/recent-exchanges/{exchange_id}",     ADMINISTRATORS),
    (Method::GET,    "/recent-exchanges/{exchange_id}/points", ADMINISTRATORS),
    (Method::GET,    "/status",                             READERS),
    (Method::GET,    "/batches",                            Access::Roles(&[Admin, Node])),
    (Method::POST,   "/batches",                            Access::Roles(&[Admin, Node])),
    (Method::GET,    "/people",                             ADMINISTRATORS),
    (Method::POST,   "/people",                             ADMINISTRATORS),
    (Method::DELETE, "/people/{person_id}",                 ADMINISTRATORS),
    (Method::GET,    "/tokens",                             ADMINISTRATORS),
    (Method::POST,   "/tokens",                             ADMINISTRATORS),
    (Method::DELETE, "/tokens/{token_id}",                  ADMINISTRATORS),
    (Method::GET,    "/audit",                              ADMINISTRATORS),
    (Method::GET,    "/purges",                             ADMINISTRATORS),
    (Method::POST,   "/purges",                             ADMINISTRATORS),
    (Method::GET,    "/purges/{purge_id}",                  ADMINISTRATORS),
];

/// Who may call a method on a matched route (prefix included); `None` when the route does not have the method.
/// `HEAD` is `GET` without a body.
pub(crate) fn access(method: &Method, path: &str) -> Option<Access> {
    let below = path.strip_prefix(PREFIX).unwrap_or(path);
    let method = if method == Method::HEAD { &Method::GET } else { method };
    let row = TABLE.iter().find(|(known, route, _)| known == method && *route == below);
    row.map(|(_, _, access)| *access)
}

/// The methods of a path, for `Allow`.
pub(crate) fn allowed_methods(path: &str) -> String {
    let below = path.strip_prefix(PREFIX).unwrap_or(path);
    let mut methods = Vec::new();
    for (method, _, _) in TABLE.iter().filter(|(_, route, _)| *route == below) {
        methods.push(method.as_str());
        if method == Method::GET {
            methods.push("HEAD");
        }
    }
    methods.join(", ")
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Threadline",
        description = "API traffic as sessions. Times are RFC 3339 in UTC with microseconds; errors are problem \
                       details (RFC 9457); lists page with opaque tokens. Strings that come from traffic are hostile: \
                       escape them where they are shown.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    tags(
        (name = "sign-in", description = "People sign in; programs send an API token."),
        (name = "sessions", description = "Sessions, their exchanges, and counts over them."),
        (name = "policy", description = "Applications, masks, context parameters and grouping keys."),
        (name = "points", description = "Points tried out on samples and on exchanges seen recently."),
        (name = "nodes", description = "For nodes and imports."),
        (name = "status", description = "How everything is doing."),
        (name = "administration", description = "People, API tokens, audit log, purges."),
    ),
    components(schemas(ProblemDetails)),
)]
struct Document;

/// All routes below [`PREFIX`], and the document that describes them.
fn routes() -> OpenApiRouter<Arc<Inner>> {
    OpenApiRouter::new()
        .routes(routes!(sign_in::first_run_state, sign_in::first_run))
        .routes(routes!(sign_in::sign_in))
        .routes(routes!(sign_in::sign_out))
        .routes(routes!(sign_in::me))
        .routes(routes!(sign_in::change_password))
        .routes(routes!(sessions::list_sessions))
        .routes(routes!(sessions::read_session))
        .routes(routes!(sessions::list_exchanges))
        .routes(routes!(sessions::read_exchange))
        .routes(routes!(download::download_sessions))
        .routes(routes!(download::download_exchanges))
        .routes(routes!(overview::facets))
        .routes(routes!(overview::histogram))
        .routes(routes!(hashes::find_hashes))
        .routes(routes!(exports::list_exports))
        .routes(routes!(policy_document::read_policy, policy_document::save_policy))
        .routes(routes!(policy_document::check_policy))
        .routes(routes!(try_out::try_policy))
        .routes(routes!(leaving::policy_exports))
        .routes(routes!(policy::read_parameters, policy::save_parameters))
        .routes(routes!(keys::read_keys))
        .routes(routes!(clients::list_clients))
        .routes(routes!(policy::check_point))
        .routes(routes!(policy_versions::list_versions))
        .routes(routes!(policy_versions::read_version))
        .routes(routes!(policy_versions::read_changes))
        .routes(routes!(points::preview_point))
        .routes(routes!(points::list_points))
        .routes(routes!(recent::list_recent))
        .routes(routes!(recent::read_settings, recent::save_settings))
        .routes(routes!(recent::read_recent))
        .routes(routes!(recent::list_points_of_recent))
        .routes(routes!(status::read_status))
        .routes(routes!(status::read_openapi))
        .routes(routes!(batches::read_terms, batches::append_batch))
        .routes(routes!(people::list_people, people::add_person))
        .routes(routes!(people::remove_person))
        .routes(routes!(people::list_tokens, people::create_token))
        .routes(routes!(people::revoke_token))
        .routes(routes!(people::read_audit))
        .routes(routes!(purges::list_purges, purges::ask_for_purge))
        .routes(routes!(purges::read_purge))
}

/// The API's routes, prefix included, and its document.
pub(crate) fn api() -> (axum::Router<Arc<Inner>>, utoipa::openapi::OpenApi) {
    let (router, mut document) =
        OpenApiRouter::with_openapi(Document::openapi()).nest(PREFIX, routes()).split_for_parts();
    describe_access(&mut document);
    (router, document)
}

/// The document as text, for the golden file and for clients.
pub fn openapi_document() -> String {
    // A tree of strings and numbers: serialising it cannot fail.
    let mut text = api().1.to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}

/// Adds what holds for every operation: who may call it, and that errors are problem details.
fn describe_access(document: &mut utoipa::openapi::OpenApi) {
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in [
            (Method::GET, &mut item.get),
            (Method::PUT, &mut item.put),
            (Method::POST, &mut item.post),
            (Method::DELETE, &mut item.delete),
            (Method::PATCH, &mut item.patch),
        ] {
            let (Some(operation), Some(access)) = (operation, access(&method, path)) else { continue };
            operation.security = Some(match access {
                Access::Anybody => Vec::new(),
                Access::Roles(_) => {
                    ["cookie", "token"].map(|scheme| SecurityRequirement::new(scheme, Vec::<String>::new())).to_vec()
                }
            });
            if let Access::Roles(roles) = access {
                let names: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
                let text = operation.description.get_or_insert_default();
                let gap = if text.is_empty() { "" } else { "\n\n" };
                text.push_str(&format!("{gap}Roles: {}.", names.join(", ")));
            }
            let problem = ResponseBuilder::new()
                .description("What went wrong (RFC 9457).")
                .content("application/problem+json", Content::new(Some(Ref::from_schema_name("ProblemDetails"))))
                .build();
            operation.responses.responses.insert("default".to_owned(), problem.into());
        }
    }
    let components = document.components.get_or_insert_default();
    let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::with_description(
        "threadline_session",
        "A person's sign-in. Requests that change something must come from a page of the console.",
    )));
    let token = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("An API token, `tl_…`.")).build();
    components.add_security_scheme("cookie", cookie);
    components.add_security_scheme("token", SecurityScheme::Http(token));
}

/// The operations of a document as method and path below [`PREFIX`].
#[cfg(test)]
pub(crate) fn operations(document: &utoipa::openapi::OpenApi) -> Vec<(Method, String)> {
    let mut operations = Vec::new();
    for path in document.paths.paths.keys() {
        for (described, method) in [
            (utoipa::openapi::HttpMethod::Get, Method::GET),
            (utoipa::openapi::HttpMethod::Put, Method::PUT),
            (utoipa::openapi::HttpMethod::Post, Method::POST),
            (utoipa::openapi::HttpMethod::Delete, Method::DELETE),
            (utoipa::openapi::HttpMethod::Patch, Method::PATCH),
        ] {
            if document.paths.get_path_operation(path, described).is_some() {
                operations.push((method, path.strip_prefix(PREFIX).unwrap_or(path).to_owned()));
            }
        }
    }
    operations
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    /// The console's client is generated from the file, so a change shows in review. `UPDATE_OPENAPI=1` writes it.
    #[test]
    fn the_document_is_the_golden_file() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../openapi/v1.json");
        let document = openapi_document();
        if std::env::var_os("UPDATE_OPENAPI").is_some() {
            std::fs::write(&path, &document).unwrap();
        }
        let golden = std::fs::read_to_string(&path).unwrap();
        assert!(
            golden == document,
            "openapi/v1.json is out of date: run `UPDATE_OPENAPI=1 cargo test -p threadline-hub golden`"
        );
    }

    #[test]
    fn router_document_and_table_name_the_same_operations() {
        let named: BTreeSet<String> =
            operations(&api().1).into_iter().map(|(method, path)| format!("{method} {path}")).collect();
        let allowed: BTreeSet<String> = TABLE.iter().map(|(method, path, _)| format!("{method} {path}")).collect();
        assert_eq!(named, allowed);
        assert_eq!(TABLE.len(), allowed.len(), "an operation stands twice in the table");
    }
}
