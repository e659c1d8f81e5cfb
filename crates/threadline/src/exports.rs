//! Between the hub, which is asked what would leave under a policy, and the node's stages: what the policy says
//! beforehand, and what its pipeline makes of the exchanges that the node keeps. It holds no rules of its own about what
//! leaves, and hands on shapes of values only.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use threadline_context::{Replaced, Selector};
use threadline_grouping::InstallationSecret;
use threadline_hub::{Leaving, LeavingChange, LeavingField, TryOutError};
use threadline_model::Exchange;
use threadline_node::{RecentExchanges, TryOutSettings, would_leave};
use threadline_points::Bounds;
use threadline_policy::{ParameterType, Policy};
use threadline_record::{
    COLUMN_WORDS, ColumnWords, ExportField, ExportForm, NEVER_LEAVES, Sampled, SessionKeyKind, sample,
};

const NOT_EXPORTED: &str = "not exported";

/// The node's stages, on what it keeps.
pub(crate) struct Leaver {
    pub(crate) kept: Arc<RecentExchanges>,
    pub(crate) secret: Arc<InstallationSecret>,
    pub(crate) bounds: Bounds,
    pub(crate) node: String,
}

impl threadline_hub::WouldLeave for Leaver {
    fn would_leave(
        &self,
        current: &Policy,
        draft: &Policy,
        is_stopped: &(dyn Fn() -> bool + Sync),
    ) -> Result<Leaving, TryOutError> {
        let kept = self.kept.list();
        let exchanges: Vec<&Exchange> = kept.iter().map(|kept| &kept.exchange).collect();
        let view = |policy: &Policy| self.view(policy, &exchanges, is_stopped);
        let draft_view = view(draft)?;
        let current_view = view(current)?;
        let mut notes = Vec::new();
        if !exchanges.is_empty() && current.analysed() != draft.analysed() {
            notes.push(
                "Only analysed exchanges are kept: what the draft analyses in addition is not among them.".to_owned(),
            );
        }
        if draft_view.failed > 0 {
            notes.push(format!("{} exchanges could not be analysed and are in no figure.", draft_view.failed));
        }
        let times = || exchanges.iter().map(|exchange| exchange.started);
        Ok(Leaving {
            exchanges: exchanges.len() as u64,
            analysed: draft_view.analysed,
            from: times().min(),
            to: times().max(),
            notes,
            changes: changes(&current_view.fields, &draft_view.fields),
            fields: draft_view.fields.into_iter().flat_map(Field::shown).collect(),
            never: NEVER_LEAVES.iter().map(|sentence| (*sentence).to_owned()).collect(),
        })
    }
}

/// What leaves under one policy.
struct View {
    fields: Vec<Field>,
    analysed: u64,
    failed: u64,
}

impl Leaver {
    fn view(
        &self,
        policy: &Policy,
        exchanges: &[&Exchange],
        is_stopped: &(dyn Fn() -> bool + Sync),
    ) -> Result<View, TryOutError> {
        let settings = TryOutSettings { secret: &self.secret, bounds: self.bounds, is_stopped };
        let left = would_leave(policy, &self.node, exchanges, settings).map_err(|error| match error {
            threadline_node::TryOutError::Stopped => TryOutError::Stopped,
            threadline_node::TryOutError::Draft(cause) => TryOutError::Draft(cause.into()),
            other => TryOutError::Failed(other.into()),
        })?;
        let mut fields = describe(policy, &Selector::new(policy, self.secret.parameter_key()));
        let hashes: BTreeSet<String> =
            fields.iter().filter(|field| field.is_replaced_by_hash).map(|field| field.name.clone()).collect();
        let sampled =
            sample(&left.rows, |field| hashes.contains(field)).map_err(|error| TryOutError::Failed(error.into()))?;
        for ((name, form), figures) in sampled {
            // What a mask covers altogether leaves as the mark of a cut.
            if let Some(field) = fields.iter_mut().find(|field| field.name == name && !field.is_withheld) {
                field.forms.insert(form, Some(figures));
            }
        }
        Ok(View { fields, analysed: left.rows.num_rows() as u64, failed: left.failed })
    }
}

/// A field under one policy.
struct Field {
    name: String,
    about: String,
    words: &'static ColumnWords,
    point: Option<String>,
    note: Option<String>,
    /// A mask covers all of it.
    is_withheld: bool,
    /// Where it stands in the table, a keyed hash stands, without a mark.
    is_replaced_by_hash: bool,
    /// The forms that it may leave in, with what the sample has of each.
    forms: BTreeMap<ExportForm, Option<Sampled>>,
}

impl Field {
    fn new(
        name: String,
        words: &'static ColumnWords,
        about: String,
        forms: impl IntoIterator<Item = ExportForm>,
    ) -> Self {
        let forms = forms.into_iter().map(|form| (form, None)).collect();
        let (is_withheld, is_replaced_by_hash) = (false, false);
        Self { name, about, words, point: None, note: None, is_withheld, is_replaced_by_hash, forms }
    }

    fn form_words(&self) -> String {
        let words: Vec<&str> = self.forms.keys().map(|form| form.as_str()).collect();
        if words.is_empty() { NOT_EXPORTED.to_owned() } else { words.join(" and ") }
    }

    /// One line for each form, and one of a field that does not leave.
    fn shown(self) -> Vec<LeavingField> {
        let line = |form: &'static str, sampled: Option<&Sampled>| LeavingField {
            field: self.name.clone(),
            about: self.about.clone(),
            group: self.words.group.as_str(),
            origin: self.words.origin.as_str(),
            form,
            point: self.point.clone(),
            note: self.note.clone(),
            exchanges: sampled.map_or(0, |sampled| sampled.exchanges),
            bytes: sampled.map_or(0, |sampled| sampled.tally.bytes),
            example: sampled.and_then(|sampled| sampled.example.clone()),
        };
        if self.forms.is_empty() {
            return vec![line(NOT_EXPORTED, None)];
        }
        self.forms.iter().map(|(form, sampled)| line(form.as_str(), sampled.as_ref())).collect()
    }
}

/// Every field under a policy, before any exchange, in the order of the table.
fn describe(policy: &Policy, selector: &Selector) -> Vec<Field> {
    let replaced = selector.replaced(policy);
    let mut fields = Vec::new();
    for words in COLUMN_WORDS {
        match words.name {
            "session_value" => fields.extend(session_values(policy, selector, words)),
            "params" => fields.extend(parameters(policy, selector, words)),
            "user" => fields.push(of_type(ParameterType::User, policy, selector, words)),
            "role" => fields.push(of_type(ParameterType::Role, policy, selector, words)),
            name => {
                let forms = words.is_filled.then_some(ExportForm::Clear);
                let mut field = Field::new(name.to_owned(), words, words.about.to_owned(), forms);
                replace(&mut field, policy, replaced.iter().filter(|one| one.column == name));
                fields.push(field);
            }
        }
    }
    fields
}

/// What hashed parameters and masks make of a column.
fn replace<'r>(field: &mut Field, policy: &Policy, replaced: impl Iterator<Item = &'r Replaced>) {
    let mut sentences = Vec::new();
    for one in replaced {
        let (who, is_everywhere) = whose(policy, one.position);
        sentences.push(match (one.hashed, one.whole) {
            (true, true) => format!("A keyed hash stands in its place because of {who}."),
            (true, false) => format!("A keyed hash stands in place of what {who} takes from it."),
            (false, true) => format!("Left out or cut because of {who}."),
            (false, false) => format!("Cut where {who} covers it."),
        });
        if one.whole && is_everywhere {
            field.forms = one.hashed.then_some((ExportForm::Hashed, None)).into_iter().collect();
            (field.is_withheld, field.is_replaced_by_hash) = (!one.hashed, one.hashed);
        }
        if field.is_withheld {
            break;
        }
    }
    field.note = (!sentences.is_empty()).then(|| sentences.join(" "));
}

/// Whose a point of the policy is, in words, and whether that holds for every exchange.
fn whose(policy: &Policy, position: usize) -> (String, bool) {
    let masks = policy.mask_points();
    if let Some(mask) = position.checked_sub(masks.start).and_then(|mask| policy.masks().get(mask)) {
        return (format!("the mask of `{}`", mask.point), mask.scope.is_everything());
    }
    let mut parameters = policy.parameters().iter().enumerate();
    match parameters.find(|(index, _)| *index == position || policy.further(*index).contains(&position)) {
        Some((_, parameter)) => (format!("the hashed parameter `{}`", parameter.name), parameter.scope.is_everything()),
        None => ("the policy".to_owned(), false),
    }
}

/// The mask that covers a parameter in every exchange.
fn masked_by(policy: &Policy, parameter: usize) -> Option<String> {
    let mut masks = policy.masks().iter().enumerate();
    let own = policy.parameters().get(parameter)?;
    masks
        .find(|(index, mask)| policy.covered_by(*index).contains(&parameter) && mask.scope.covers(&own.scope))
        .map(|(_, mask)| mask.point.to_string())
}

fn form_of(selector: &Selector, parameter: usize) -> ExportForm {
    if selector.leaves_hashed(parameter) { ExportForm::Hashed } else { ExportForm::Clear }
}

/// `session_value` by the kind of key that decides.
fn session_values(policy: &Policy, selector: &Selector, words: &'static ColumnWords) -> Vec<Field> {
    let keys = policy.parameters().iter().enumerate();
    let keys = keys.filter(|(index, parameter)| parameter.group && masked_by(policy, *index).is_none());
    let configured: BTreeSet<ExportForm> = keys.map(|(index, _)| form_of(selector, index)).collect();
    let field = |kind, about: &str, forms: BTreeSet<ExportForm>| {
        Field::new(ExportField::SessionValue(kind).to_string(), words, about.to_owned(), forms)
    };
    let one = |form| BTreeSet::from([form]);
    vec![
        field(
            SessionKeyKind::Configured,
            "The value that decided the session, where a grouping key of the policy did.",
            configured,
        ),
        field(
            SessionKeyKind::BuiltIn,
            "The value that decided the session, where a built-in rule did: a cookie, a token, a credential. Always \
             hashed.",
            one(ExportForm::Hashed),
        ),
        field(
            SessionKeyKind::Fallback,
            "What the session stands on where nothing identified the client: address and User-Agent, as far as they \
             leave.",
            one(ExportForm::Clear),
        ),
    ]
}

/// The context parameters, each a field.
fn parameters(policy: &Policy, selector: &Selector, words: &'static ColumnWords) -> Vec<Field> {
    let parameters = policy.parameters().iter().enumerate();
    let field = |(index, parameter): (usize, &threadline_policy::Parameter)| {
        let name = ExportField::Parameter(&parameter.name).to_string();
        let mask = masked_by(policy, index);
        let forms = mask.is_none().then(|| form_of(selector, index));
        let mut field = Field::new(name, words, words.about.to_owned(), forms);
        field.point = Some(parameter.point.to_string());
        field.is_withheld = mask.is_some();
        field.note = match mask {
            Some(mask) => Some(format!("Not exported because of the mask of `{mask}`.")),
            None if !parameter.scope.is_everything() => Some(format!("Only of: {}.", parameter.scope.sentence())),
            None => None,
        };
        field
    };
    parameters.map(field).collect()
}

/// `user` or `role`: leaves as the parameters of that type do.
fn of_type(kind: ParameterType, policy: &Policy, selector: &Selector, words: &'static ColumnWords) -> Field {
    let parameters = policy.parameters().iter().enumerate();
    let typed = parameters.filter(|(index, parameter)| parameter.kind == kind && masked_by(policy, *index).is_none());
    let forms: BTreeSet<ExportForm> = typed.map(|(index, _)| form_of(selector, index)).collect();
    let mut field = Field::new(words.name.to_owned(), words, words.about.to_owned(), forms);
    if field.forms.is_empty() {
        field.note = Some("No parameter of that type has a value to export.".to_owned());
    }
    field
}

/// What is treated in another way, in the draft's order; what only the policy that holds has follows.
fn changes(current: &[Field], draft: &[Field]) -> Vec<LeavingChange> {
    let was = |name: &str| current.iter().find(|field| field.name == name);
    let is = |name: &str| draft.iter().any(|field| field.name == name);
    let gone = current.iter().filter(|field| !is(&field.name)).map(|field| (Some(field), None));
    let pairs = draft.iter().map(|field| (was(&field.name), Some(field))).chain(gone);
    pairs
        .filter_map(|(was, is)| {
            let words = |field: Option<&Field>| field.map_or_else(|| NOT_EXPORTED.to_owned(), Field::form_words);
            let (mut from, mut to) = (words(was), words(is));
            let kind = match (from.as_str(), to.as_str()) {
                (from, to) if from == to => {
                    let point = |field: Option<&Field>| field.and_then(|field| field.point.clone());
                    let points = (point(was)?, point(is)?);
                    if points.0 == points.1 || from == NOT_EXPORTED {
                        return None;
                    }
                    "point"
                }
                (NOT_EXPORTED, _) => "newly",
                (_, NOT_EXPORTED) => "no_longer",
                _ => "form",
            };
            if kind == "point" {
                let point = |field: Option<&Field>| field.and_then(|field| field.point.clone()).unwrap_or_default();
                (from, to) = (point(was), point(is));
            }
            Some(LeavingChange { field: is.or(was)?.name.clone(), kind, from, to })
        })
        .collect()
}
