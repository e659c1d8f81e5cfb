//! The table that `make bench` prints: figure, value, budget, and whether the budget was met. Never a test.

use std::fmt;

/// Which side of the budget is good.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Budget {
    /// The value should be at least this.
    AtLeast(f64),
    /// The value should be at most this.
    AtMost(f64),
    /// Reported only.
    None,
}

/// One measured figure.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    /// What was measured, with the conditions that matter.
    pub(crate) name: String,
    /// The value.
    pub(crate) value: f64,
    /// Its unit.
    pub(crate) unit: &'static str,
    /// What it should be.
    pub(crate) budget: Budget,
}

impl Figure {
    /// A figure with a budget.
    pub(crate) fn new(name: impl Into<String>, value: f64, unit: &'static str, budget: Budget) -> Self {
        Self { name: name.into(), value, unit, budget }
    }
}

/// Figures under headings.
#[derive(Debug, Default)]
pub(crate) struct Table {
    sections: Vec<(String, Vec<Figure>)>,
}

impl Table {
    /// Adds a section.
    pub(crate) fn section(&mut self, title: impl Into<String>, figures: Vec<Figure>) {
        self.sections.push((title.into(), figures));
    }
}

fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 1000.0 => {
            let digits = format!("{value:.0}");
            let mut grouped = String::new();
            for (position, digit) in digits.chars().enumerate() {
                if position > 0 && (digits.len() - position) % 3 == 0 && digit.is_ascii_digit() {
                    grouped.push(',');
                }
                grouped.push(digit);
            }
            grouped
        }
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

impl fmt::Display for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (title, figures) in &self.sections {
            writeln!(formatter, "\n{title}")?;
            writeln!(formatter, "  {:<62} {:>12} {:<12} {:>14}", "figure", "value", "unit", "budget")?;
            for figure in figures {
                let (budget, met) = match figure.budget {
                    Budget::AtLeast(bound) => (format!("≥ {}", number(bound)), Some(figure.value >= bound)),
                    Budget::AtMost(bound) => (format!("≤ {}", number(bound)), Some(figure.value <= bound)),
                    Budget::None => (String::new(), None),
                };
                let verdict = match met {
                    Some(true) => "met",
                    Some(false) => "MISSED",
                    None => "",
                };
                writeln!(
                    formatter,
                    "  {:<62} {:>12} {:<12} {:>14} {verdict}",
                    figure.name,
                    number(figure.value),
                    figure.unit,
                    budget
                )?;
            }
        }
        Ok(())
    }
}
