//! The walk over a document: definitions, selection sets, directives. Nested selection sets are a list of open ones, so
//! that a hostile document costs no stack.

use std::collections::HashMap;
use std::ops::Range;

use smallvec::SmallVec;

use super::Document;
use super::lexer::{Kind, Lexer};
use super::variables::{Variable, Variables};
use crate::json;
use crate::scan::{Span, Stop, Stopped};
use crate::value_tree::{Notes, Positions, Raw, ValueTree};
use crate::{Bounds, Step};

/// Walks one document. Gives the first damage.
pub(super) fn document(
    tree: &ValueTree,
    text: &[u8],
    document: &Document,
    bounds: &Bounds,
    budget: &mut usize,
    notes: &mut Notes,
) -> Option<Stop> {
    let depth = bounds.depth.min(Bounds::MAXIMUM_DEPTH);
    let (mut variables, stop) = match &document.variables {
        Some(range) => Variables::read(text, range.clone(), document.variables_open, depth),
        None => (Variables::default(), None),
    };
    variables.open |= document.variables_open;
    let damage = stop.filter(|stop| !(stop.ended && document.variables_open));
    let source = document.source.clone().unwrap_or(0..0);
    let lexer = Lexer::new(&text[..source.end], source.start);
    let mut walk = Walk { tree, text, notes, lexer, variables: &variables, defaults: HashMap::new(), depth, budget };
    walk.request_variables();
    if document.source.is_none() {
        return damage;
    }
    // Why it stopped is the lexer's to say.
    let _ = walk.definitions();
    damage.or(walk.lexer.stop().filter(|stop| !(stop.ended && document.source_open)))
}

/// What a variable has when the request gives it no value: the range of a literal.
type Defaults<'x> = HashMap<&'x [u8], Range<usize>>;

pub(super) struct Walk<'t, 'x> {
    pub(super) tree: &'t ValueTree,
    text: &'x [u8],
    pub(super) notes: &'t mut Notes,
    pub(super) lexer: Lexer<'x>,
    variables: &'t Variables<'x>,
    /// Those of the operation that is being read.
    defaults: Defaults<'x>,
    pub(super) depth: usize,
    budget: &'t mut usize,
}

impl<'x> Walk<'_, 'x> {
    // ---- wanted places ---------------------------------------------------------------------------------------

    /// The nodes below those for one kind of thing: `field`, `argument`.
    pub(super) fn below(&self, at: &[u32], kind: Step) -> Positions {
        let mut found = Positions::new();
        if !at.is_empty() {
            self.tree.property(at, kind.word().as_bytes(), &mut found);
        }
        found
    }

    /// The nodes below those of a kind for one of this name, unless an earlier one has been there.
    pub(super) fn named(&self, group: &[u32], name: &[u8]) -> Positions {
        let mut found = Positions::new();
        if !group.is_empty() {
            self.tree.property(group, name, &mut found);
            self.notes.keep_unused(self.tree, &mut found);
        }
        found
    }

    /// As [`Walk::named`], for a thing that holds others: its name counts where names are wanted, and no later one of
    /// this name comes after it.
    fn entered(&mut self, group: &[u32], name: Span) -> Positions {
        if group.is_empty() {
            return Positions::new();
        }
        self.notes.property_name(self.tree, group, Raw::Plain(name));
        let found = self.named(group, self.lexer.text(name));
        self.notes.use_up(self.tree, &found);
        found
    }

    fn note_name(&mut self, at: &[u32], kind: Step, name: Span) {
        let mut found = self.below(at, kind);
        self.notes.keep_unused(self.tree, &mut found);
        self.notes.note(self.tree, &found, Raw::Plain(name));
    }

    // ---- variables -------------------------------------------------------------------------------------------

    /// Variables of the request that are wanted whatever the document declares.
    fn request_variables(&mut self) {
        let group = self.below(&[ValueTree::ROOT], Step::Variables);
        if group.is_empty() {
            return;
        }
        let variables = self.variables;
        for variable in variables.iter() {
            self.notes.property_name(self.tree, &group, Raw::Text(variable.written));
            let at = self.named(&group, &variable.name);
            self.given(&at, variable);
        }
    }

    /// Notes what stands at the nodes in a value that the request gives.
    fn given(&mut self, at: &[u32], variable: &Variable<'_>) {
        if !at.is_empty() {
            let (input, start) = (&self.text[..variable.value.end], variable.value.start);
            json::walk_value(self.tree, at, input, start, variable.open, self.depth, self.notes);
        }
    }

    /// Notes what a variable holds.
    pub(super) fn variable(&mut self, at: &[u32], name: Span) -> Result<(), Stopped> {
        let looked_up = self.look_up(at, name);
        self.notes.use_up_unknown(self.tree, at);
        let variables = self.variables;
        if variables.find(self.lexer.text(name)).map_or(variables.open, |given| given.open) {
            self.notes.close(self.tree, at);
        }
        looked_up
    }

    fn look_up(&mut self, at: &[u32], name: Span) -> Result<(), Stopped> {
        let variables = self.variables;
        let name_text = self.lexer.text(name);
        let given = variables.find(name_text);
        let default = if given.is_none() && !variables.open { self.defaults.get(name_text).cloned() } else { None };
        let Some(value) = given.map(|given| &given.value).or(default.as_ref()) else { return Ok(()) };
        let Some(rest) = self.budget.checked_sub(value.len()) else {
            return Err(self.lexer.fail_at(name.range().start, "the bound on decoded bytes is reached"));
        };
        *self.budget = rest;
        if let Some(given) = given {
            self.given(at, given);
        } else if let Some(value) = default {
            let default = Lexer::new(self.lexer.input(), value.start);
            let after = std::mem::replace(&mut self.lexer, default);
            let read = self.lexer.advance().and_then(|()| self.value(Positions::from_slice(at), true));
            let stop = self.lexer.stop();
            self.lexer = after;
            if let (Err(Stopped), Some(stop)) = (read, stop) {
                return Err(self.lexer.fail_at(stop.offset, stop.reason));
            }
        }
        Ok(())
    }

    /// `($id: ID! = 1 @directive)`
    fn variable_definitions(&mut self, operation: &[u32]) -> Result<(), Stopped> {
        let request = self.below(&[ValueTree::ROOT], Step::Variables);
        let operation = self.below(operation, Step::Variables);
        self.lexer.advance()?;
        loop {
            self.description()?;
            self.lexer.expect(b'$', "a variable expected")?;
            let name = self.lexer.name()?;
            self.lexer.expect(b':', "a colon expected")?;
            self.type_reference()?;
            let text = self.lexer.text(name);
            self.notes.property_name(self.tree, &operation, Raw::Plain(name));
            let mut at = self.named(&operation, text);
            let variables = self.variables;
            if let Some(given) = variables.find(text) {
                self.given(&at, given);
                at.clear();
            } else if variables.open {
                self.notes.close(self.tree, &at);
                at.clear();
            } else {
                self.notes.property_name(self.tree, &request, Raw::Plain(name));
                at.extend(self.named(&request, text));
            }
            if self.lexer.accept(b'=')? {
                let start = self.lexer.start();
                self.value(at, true)?;
                self.defaults.insert(text, start..self.lexer.start());
            }
            self.directives(&[], true)?;
            if self.lexer.accept(b')')? {
                return Ok(());
            }
        }
    }

    /// `[[Name!]]!`
    fn type_reference(&mut self) -> Result<(), Stopped> {
        let mut lists = 0_usize;
        while self.lexer.accept(b'[')? {
            lists += 1;
        }
        self.lexer.name()?;
        self.lexer.accept(b'!')?;
        for _ in 0..lists {
            self.lexer.expect(b']', "a closing bracket expected")?;
            self.lexer.accept(b'!')?;
        }
        Ok(())
    }

    // ---- definitions -----------------------------------------------------------------------------------------

    fn definitions(&mut self) -> Result<(), Stopped> {
        self.lexer.advance()?;
        if self.lexer.token.kind == Kind::End {
            return Err(self.lexer.fail("a definition expected"));
        }
        while self.lexer.token.kind != Kind::End {
            self.definition()?;
        }
        Ok(())
    }

    fn definition(&mut self) -> Result<(), Stopped> {
        self.defaults.clear();
        if self.lexer.is(b'{') {
            let name = Span { end: self.lexer.token.span.start, ..self.lexer.token.span };
            let group = self.below(&[ValueTree::ROOT], Step::Queries);
            let at = self.entered(&group, name);
            return self.selections(at);
        }
        self.description()?;
        let kind = [Step::Queries, Step::Mutations, Step::Subscriptions, Step::Fragment]
            .into_iter()
            .find(|kind| self.lexer.is_word(kind.word().as_bytes()));
        match kind {
            None => Err(self.lexer.fail("an operation or a fragment expected")),
            Some(Step::Fragment) => self.fragment_definition(),
            Some(kind) => self.operation(kind),
        }
    }

    /// Since September 2025 definitions may have descriptions.
    fn description(&mut self) -> Result<(), Stopped> {
        match self.lexer.token.kind {
            Kind::Text | Kind::Block => self.lexer.advance(),
            _ => Ok(()),
        }
    }

    fn operation(&mut self, kind: Step) -> Result<(), Stopped> {
        self.lexer.advance()?;
        let name = match self.lexer.token.kind {
            Kind::Name => self.lexer.name()?,
            // An anonymous operation has an empty name.
            Kind::Punctuator(b'{' | b'(' | b'@') => Span { end: self.lexer.token.span.start, ..self.lexer.token.span },
            _ => return Err(self.lexer.fail("a selection set expected")),
        };
        let group = self.below(&[ValueTree::ROOT], kind);
        let at = self.entered(&group, name);
        if self.lexer.is(b'(') {
            self.variable_definitions(&at)?;
        }
        self.directives(&at, false)?;
        self.selections(at)
    }

    /// `fragment Name on Type { … }`
    fn fragment_definition(&mut self) -> Result<(), Stopped> {
        self.lexer.advance()?;
        if self.lexer.is_word(b"on") {
            return Err(self.lexer.fail("a fragment's name expected"));
        }
        let name = self.lexer.name()?;
        let group = self.below(&[ValueTree::ROOT], Step::Fragment);
        let at = self.entered(&group, name);
        if !self.lexer.is_word(b"on") {
            return Err(self.lexer.fail("`on` expected"));
        }
        self.type_condition(&at)?;
        self.directives(&at, false)?;
        self.selections(at)
    }

    /// `on Type`, `on` being next.
    fn type_condition(&mut self, at: &[u32]) -> Result<(), Stopped> {
        self.lexer.advance()?;
        let name = self.lexer.token.span;
        if self.lexer.token.kind != Kind::Name {
            return Err(self.lexer.fail("a type expected"));
        }
        self.note_name(at, Step::Type, name);
        self.lexer.advance()
    }

    /// `@name(argument: value)`, any number of them.
    fn directives(&mut self, at: &[u32], constant: bool) -> Result<(), Stopped> {
        while self.lexer.accept(b'@')? {
            let name = self.lexer.name()?;
            let group = self.below(at, Step::Directive);
            let directive = self.entered(&group, name);
            if self.lexer.is(b'(') {
                self.arguments(&directive, constant)?;
            }
        }
        Ok(())
    }

    // ---- selection sets --------------------------------------------------------------------------------------

    /// A selection set and all that lie in it. One without selections is executed by servers that read the draft after
    /// September 2025; what stands behind it counts.
    fn selections(&mut self, at: Positions) -> Result<(), Stopped> {
        self.lexer.expect(b'{', "a selection set expected")?;
        let mut open: SmallVec<[Positions; 8]> = SmallVec::new();
        open.push(at);
        while let Some(at) = open.last() {
            if self.lexer.is(b'}') {
                open.pop();
                self.lexer.advance()?;
                continue;
            }
            let below = match self.lexer.token.kind {
                Kind::Name => Some(self.field(at)?),
                Kind::Spread => self.fragment(at)?,
                _ => return Err(self.lexer.fail("a selection expected")),
            };
            if let Some(below) = below
                && self.lexer.is(b'{')
            {
                if open.len() >= self.depth {
                    return Err(self.lexer.fail("nested too deeply"));
                }
                self.lexer.advance()?;
                open.push(below);
            }
        }
        Ok(())
    }

    /// `alias: name(argument: value) @directive`; gives the nodes that look into its selection set.
    fn field(&mut self, at: &[u32]) -> Result<Positions, Stopped> {
        let mut name = self.lexer.name()?;
        let mut alias = None;
        if self.lexer.accept(b':')? {
            alias = Some(name);
            name = self.lexer.name()?;
        }
        if self.lexer.token.kind == Kind::End {
            // It may be an alias.
            return Err(self.lexer.fail("a selection expected"));
        }
        let group = self.below(at, Step::Fields);
        let field = self.entered(&group, name);
        if let Some(alias) = alias {
            self.note_name(&field, Step::Alias, alias);
        }
        if self.lexer.is(b'(') {
            self.arguments(&field, false)?;
        }
        self.directives(&field, false)?;
        Ok(field)
    }

    /// `...Name`, or `... on Type { … }`; gives the nodes that look into the selection set of the latter.
    fn fragment(&mut self, at: &[u32]) -> Result<Option<Positions>, Stopped> {
        self.lexer.advance()?;
        if self.lexer.token.kind == Kind::Name && !self.lexer.is_word(b"on") {
            let name = self.lexer.token.span;
            self.note_name(at, Step::Spread, name);
            self.lexer.advance()?;
            self.directives(&[], false)?;
            return Ok(None);
        }
        let inline = self.below(at, Step::Inline);
        if self.lexer.is_word(b"on") {
            self.type_condition(&inline)?;
        }
        self.directives(&inline, false)?;
        if !self.lexer.is(b'{') {
            return Err(self.lexer.fail("a selection set expected"));
        }
        Ok(Some(inline))
    }
}
