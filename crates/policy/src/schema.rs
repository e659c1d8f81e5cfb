//! The JSON Schema of a policy document, for editors and checks outside of Threadline. It is made of the same types as the
//! API, and says what shape a document has; whether its values are good is judged by [`crate::Policy::validate`].

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema as _, ToSchema};

use crate::PolicyDocument;

#[derive(Serialize)]
struct SchemaDocument {
    #[serde(rename = "$schema")]
    dialect: &'static str,
    title: &'static str,
    #[serde(rename = "$ref")]
    root: String,
    #[serde(rename = "$defs")]
    definitions: BTreeMap<String, RefOr<Schema>>,
}

/// The schema (JSON Schema 2020-12) as text. Schemas of OpenAPI 3.1 are of that dialect; only references differ.
pub fn json_schema() -> String {
    let mut definitions = Vec::new();
    PolicyDocument::schemas(&mut definitions);
    definitions.push((PolicyDocument::name().into_owned(), PolicyDocument::schema()));
    let document = SchemaDocument {
        dialect: "https://json-schema.org/draft/2020-12/schema",
        title: "Policy of Threadline",
        root: format!("#/$defs/{}", PolicyDocument::name()),
        definitions: definitions.into_iter().collect(),
    };
    // A tree of strings and numbers: serialising it cannot fail.
    let text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.replace("\"#/components/schemas/", "\"#/$defs/") + "\n"
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::path::Path;

    use serde_json::Value;

    use super::*;

    /// Editors read the file, so a change shows in review. `UPDATE_OPENAPI=1` writes it.
    #[test]
    fn the_schema_is_the_golden_file() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../openapi/policy.schema.json");
        let schema = json_schema();
        if std::env::var_os("UPDATE_OPENAPI").is_some() {
            std::fs::write(&path, &schema).unwrap();
        }
        let golden = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            golden == schema,
            "openapi/policy.schema.json is out of date: run `UPDATE_OPENAPI=1 cargo test -p threadline-policy golden`"
        );
    }

    #[test]
    fn unknown_fields_are_refused_everywhere_and_every_reference_leads_somewhere() {
        let schema: Value = serde_json::from_str(&json_schema()).unwrap();
        let definitions = schema["$defs"].as_object().unwrap();
        for (name, definition) in definitions {
            if definition["type"] == "object" {
                assert_eq!(definition["additionalProperties"], false, "{name}");
            }
        }
        let text = schema.to_string();
        let references: Vec<&str> =
            text.split("\"$ref\":\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        assert!(references.len() > 5);
        for reference in references {
            let name = reference.strip_prefix("#/$defs/").unwrap();
            assert!(definitions.contains_key(name), "{reference}");
        }
    }
}
