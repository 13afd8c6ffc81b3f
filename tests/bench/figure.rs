//! What was measured, and how it is shown.

use crate::machine::Machine;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::Path;

/// One figure beside its bound.
#[derive(Debug, Clone)]
pub(crate) struct Figure {
    /// What was measured, in a few words.
    pub(crate) name: String,
    /// Ours, with its unit.
    pub(crate) value: String,
    /// The bound, with its unit.
    pub(crate) bound: String,
    /// Ours over the bound.
    pub(crate) ratio: f64,
    /// What is wanted.
    pub(crate) goal: String,
    /// Whether it was reached.
    pub(crate) met: bool,
    /// What failed or was lost; nothing, if all is well.
    pub(crate) lost: Option<String>,
    /// How it was measured, and what else was seen.
    pub(crate) notes: Vec<String>,
    /// Numbers for programs.
    pub(crate) numbers: Value,
}

/// A figure, or why there is none.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// There is one.
    Measured(Figure),
    /// There is none.
    Failed { which: String, why: String },
}

impl Outcome {
    /// Whether nothing failed and nothing was lost.
    pub(crate) const fn is_whole(&self) -> bool {
        matches!(self, Self::Measured(Figure { lost: None, .. }))
    }

    fn cells(&self) -> [String; 6] {
        match self {
            Self::Measured(figure) => [
                figure.name.clone(),
                figure.value.clone(),
                figure.bound.clone(),
                format!("{:.2}", figure.ratio),
                figure.goal.clone(),
                match (&figure.lost, figure.met) {
                    (Some(_), _) => "LOST".to_owned(),
                    (None, true) => "met".to_owned(),
                    (None, false) => "missed".to_owned(),
                },
            ],
            Self::Failed { which, .. } => [
                which.clone(),
                "-".into(),
                "-".into(),
                "-".into(),
                "-".into(),
                "FAILED".into(),
            ],
        }
    }
}

/// All figures as aligned text, then what there is to say about each.
pub(crate) fn table(outcomes: &[Outcome]) -> String {
    let heads = ["figure", "value", "bound", "ratio", "goal", "result"].map(str::to_owned);
    let mut rows = vec![heads];
    rows.extend(outcomes.iter().map(Outcome::cells));
    let widths: [usize; 6] = std::array::from_fn(|column| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
    });
    let mut text = String::new();
    for (index, row) in rows.iter().enumerate() {
        let cells: Vec<String> = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        let _ = writeln!(text, "{}", cells.join("  ").trim_end());
        if index == 0 {
            let _ = writeln!(text, "{}", widths.map(|width| "-".repeat(width)).join("  "));
        }
    }
    for outcome in outcomes {
        match outcome {
            Outcome::Measured(figure) => {
                let _ = writeln!(text, "\n{}", figure.name);
                for note in figure
                    .lost
                    .iter()
                    .map(|lost| format!("LOST: {lost}"))
                    .chain(figure.notes.iter().cloned())
                {
                    let _ = writeln!(text, "  {note}");
                }
            }
            Outcome::Failed { which, why } => {
                let _ = writeln!(text, "\n{which}\n  FAILED: {why}");
            }
        }
    }
    text
}

/// A line of JSON for each figure.
pub(crate) fn write_json(
    path: &Path,
    machine: &Machine,
    outcomes: &[Outcome],
) -> std::io::Result<()> {
    let mut text = String::new();
    for outcome in outcomes {
        let mut line = match outcome {
            Outcome::Measured(figure) => json!({
                "figure": figure.name, "value": figure.value, "bound": figure.bound, "ratio": figure.ratio,
                "goal": figure.goal, "met": figure.met, "lost": figure.lost, "notes": figure.notes,
                "numbers": figure.numbers,
            }),
            Outcome::Failed { which, why } => json!({ "figure": which, "failed": why }),
        };
        line["machine"] = machine.to_json();
        line["at"] = json!(chrono::Utc::now().to_rfc3339());
        let _ = writeln!(text, "{line}");
    }
    std::fs::write(path, text)
}

/// Prints how far a figure is.
pub(crate) fn say(text: impl std::fmt::Display) {
    println!("  {} {text}", chrono::Local::now().format("%H:%M:%S"));
}
