//! Tables: xlsx and csv, read under limits and written. Pure: bytes in, rows out.

use super::archive::{self, Bounds};
use super::columns::{Column, FAULTS, Heading, heading};
use calamine::{Data, Reader, Xlsx};
use gatehouse_domain::vocabulary;
use rust_xlsxwriter::{Workbook, XlsxError};
use std::collections::BTreeMap;
use std::io::Cursor;

/// Most rows of one table.
pub(super) const ROWS_MAX: usize = 100_000;
const CELL_MAX_CHARS: usize = 4_000;
const COLUMNS_MAX: usize = 100;
/// What a workbook may be when it is unpacked.
const UNPACKED: Bounds = Bounds {
    entries: 2_000,
    entry_bytes: 512 << 20,
    total_bytes: 1 << 30,
};

vocabulary! {
    /// How a table is written.
    pub(super) enum Format: "table format" {
        /// A workbook; its first sheet counts.
        Xlsx = "xlsx",
        /// Text in UTF-8, separated by commas, semicolons or tabs.
        Csv = "csv",
    }
}

impl Format {
    /// Tells by the first bytes: a workbook is an archive.
    pub(super) fn of(bytes: &[u8]) -> Self {
        if bytes.starts_with(b"PK") {
            Self::Xlsx
        } else {
            Self::Csv
        }
    }

    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Csv => "text/csv; charset=utf-8",
        }
    }
}

/// A row with its number as a table program shows it; the headings are row 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) number: i64,
    pub(super) cells: BTreeMap<Column, String>,
}

/// Why a table as a whole cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum SheetFault {
    #[error("The table cannot be read as a workbook: {0}.")]
    Workbook(String),
    #[error("The workbook has no sheet.")]
    NoSheet,
    #[error("The table is not UTF-8 text; save it as \"CSV UTF-8\" or as xlsx.")]
    NotUtf8,
    #[error("The table cannot be read as csv: {0}.")]
    Csv(String),
    #[error("The table is empty.")]
    Empty,
    #[error("{0}")]
    Heading(String),
    #[error("The column \"{0}\" stands there twice.")]
    Twice(Column),
    #[error("There is no column \"code\"; rows and photos are matched by it.")]
    NoCode,
    #[error("The table has more than {ROWS_MAX} rows; cut it into several.")]
    TooManyRows,
    #[error("A row has more than {COLUMNS_MAX} columns.")]
    TooManyColumns,
    #[error("Cell {column} of row {row} has more than {CELL_MAX_CHARS} characters.")]
    LongCell { row: i64, column: usize },
    #[error(transparent)]
    Archive(#[from] archive::ArchiveFault),
    #[error("The table cannot be written: {0}")]
    Write(#[from] XlsxError),
}

/// Reads a table.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Row>, SheetFault> {
    let lines = match Format::of(bytes) {
        Format::Xlsx => workbook(bytes)?,
        Format::Csv => text(bytes)?,
    };
    let mut lines = (1_i64..)
        .zip(lines)
        .filter(|(_, cells)| cells.iter().any(|cell| !cell.trim().is_empty()));
    let (_, first) = lines.next().ok_or(SheetFault::Empty)?;
    let headings = headings(&first)?;
    let mut rows = Vec::new();
    for (number, cells) in lines {
        if rows.len() >= ROWS_MAX {
            return Err(SheetFault::TooManyRows);
        }
        rows.push(row(number, &headings, cells)?);
    }
    Ok(rows)
}

fn headings(cells: &[String]) -> Result<Vec<Heading>, SheetFault> {
    if cells.len() > COLUMNS_MAX {
        return Err(SheetFault::TooManyColumns);
    }
    let mut found = Vec::new();
    for cell in cells {
        let heading = heading(cell).map_err(SheetFault::Heading)?;
        if let Heading::Of(column) = heading
            && found.contains(&heading)
        {
            return Err(SheetFault::Twice(column));
        }
        found.push(heading);
    }
    if found.contains(&Heading::Of(Column::Code)) {
        Ok(found)
    } else {
        Err(SheetFault::NoCode)
    }
}

fn row(number: i64, headings: &[Heading], cells: Vec<String>) -> Result<Row, SheetFault> {
    if cells.len() > COLUMNS_MAX {
        return Err(SheetFault::TooManyColumns);
    }
    let mut row = Row {
        number,
        cells: BTreeMap::new(),
    };
    for (place, (heading, cell)) in headings.iter().zip(cells).enumerate() {
        if cell.chars().count() > CELL_MAX_CHARS {
            return Err(SheetFault::LongCell {
                row: number,
                column: place + 1,
            });
        }
        match heading {
            Heading::Of(column) => drop(row.cells.insert(*column, unguarded(cell))),
            Heading::Ignored => {}
        }
    }
    Ok(row)
}

fn workbook(bytes: &[u8]) -> Result<Vec<Vec<String>>, SheetFault> {
    // The reader of workbooks unpacks without a limit; whether it may is found out before.
    archive::measure(Cursor::new(bytes), &UNPACKED)?;
    let failed = |error: calamine::XlsxError| SheetFault::Workbook(error.to_string());
    let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(failed)?;
    let name = workbook
        .sheet_names()
        .first()
        .cloned()
        .ok_or(SheetFault::NoSheet)?;
    // A sheet is as large as its farthest cell says: each is judged by itself, before there is room for it.
    let mut cells = workbook.worksheet_cells_reader(&name).map_err(failed)?;
    let mut lines: Vec<Vec<String>> = Vec::new();
    while let Some(found) = cells.next_cell().map_err(failed)? {
        let text = cell(&Data::from(found.get_value().clone()));
        if text.is_empty() {
            continue;
        }
        let (row, column) = found.get_position();
        let row = usize::try_from(row).unwrap_or(usize::MAX);
        let column = usize::try_from(column).unwrap_or(usize::MAX);
        if row > ROWS_MAX {
            return Err(SheetFault::TooManyRows);
        }
        if column >= COLUMNS_MAX {
            return Err(SheetFault::TooManyColumns);
        }
        if lines.len() <= row {
            lines.resize_with(row + 1, Vec::new);
        }
        if let Some(line) = lines.get_mut(row) {
            if line.len() <= column {
                line.resize_with(column + 1, String::new);
            }
            if let Some(place) = line.get_mut(column) {
                *place = text;
            }
        }
    }
    Ok(lines)
}

fn cell(data: &Data) -> String {
    match data {
        Data::Empty => String::new(),
        Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => text.clone(),
        Data::Int(number) => number.to_string(),
        // Numbers of cards and phones are whole; a table program keeps them as fractions.
        Data::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => {
            format!("{number:.0}")
        }
        Data::Float(number) => number.to_string(),
        Data::Bool(flag) => flag.to_string(),
        Data::DateTime(_) => {
            let at = calamine::DataType::as_datetime(data);
            at.map_or_else(String::new, |at| {
                let text = at.format("%Y-%m-%d %H:%M:%S").to_string();
                text.strip_suffix(" 00:00:00")
                    .map_or(text.clone(), str::to_owned)
            })
        }
        other => other.to_string(),
    }
}

fn text(bytes: &[u8]) -> Result<Vec<Vec<String>>, SheetFault> {
    let text = std::str::from_utf8(bytes).map_err(|_| SheetFault::NotUtf8)?;
    let text = text.trim_start_matches('\u{feff}');
    let first = text.lines().next().unwrap_or_default();
    let count = |mark: char| first.matches(mark).count();
    let delimiter = [(b',', count(',')), (b';', count(';')), (b'\t', count('\t'))]
        .into_iter()
        .max_by_key(|(_, count)| *count)
        .map_or(b',', |(mark, _)| mark);
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(text.as_bytes());
    let mut lines = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| SheetFault::Csv(error.to_string()))?;
        if lines.len() > ROWS_MAX {
            return Err(SheetFault::TooManyRows);
        }
        let line = line_of(text, record.position());
        while lines.len() + 1 < line.min(ROWS_MAX) {
            lines.push(Vec::new());
        }
        lines.push(record.iter().map(str::to_owned).collect());
    }
    Ok(lines)
}

/// The number of the line in which a record begins. The reader passes over empty lines, and counts
/// from where it began to pass.
fn line_of(text: &str, position: Option<&csv::Position>) -> usize {
    let Some(position) = position else { return 0 };
    let from = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let rest = text.get(from..).unwrap_or_default();
    let passed = rest
        .chars()
        .take_while(|c| matches!(c, '\r' | '\n'))
        .filter(|c| *c == '\n')
        .count();
    usize::try_from(position.line())
        .unwrap_or(0)
        .saturating_add(passed)
}

/// Marks with which a table program would begin to calculate.
const CALCULATES: [char; 4] = ['=', '+', '@', '-'];

/// A cell of a csv file that no table program takes for a formula.
fn guarded(cell: &str) -> String {
    let number = cell
        .chars()
        .skip(1)
        .all(|c| c.is_ascii_digit() || matches!(c, ' ' | '.'));
    if cell.starts_with(CALCULATES) && !number {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

/// Takes [`guarded`]'s mark away.
fn unguarded(cell: String) -> String {
    match cell.strip_prefix('\'') {
        Some(rest) if rest.starts_with(CALCULATES) => rest.to_owned(),
        Some(_) | None => cell,
    }
}

/// A line to be written: the cells, and what was wrong.
#[derive(Debug, Clone, Default)]
pub(super) struct Line {
    pub(super) cells: BTreeMap<Column, String>,
    pub(super) faults: String,
}

/// Writes a table. The column of faults is there where any line has some.
pub(super) fn write(
    format: Format,
    columns: &[Column],
    lines: impl Iterator<Item = Line>,
    with_faults: bool,
) -> Result<Vec<u8>, SheetFault> {
    let headings = columns.iter().map(|column| column.as_str().to_owned());
    let headings: Vec<String> = headings
        .chain(with_faults.then(|| FAULTS.to_owned()))
        .collect();
    let lines = lines.map(|mut line| {
        let cells = columns
            .iter()
            .map(|column| line.cells.remove(column).unwrap_or_default());
        cells
            .chain(with_faults.then_some(line.faults))
            .collect::<Vec<String>>()
    });
    let all = std::iter::once(headings).chain(lines);
    match format {
        Format::Xlsx => write_workbook(all),
        Format::Csv => write_text(all),
    }
}

fn write_workbook(lines: impl Iterator<Item = Vec<String>>) -> Result<Vec<u8>, SheetFault> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet_with_constant_memory()?;
    for (row, cells) in (0_u32..).zip(lines) {
        for (column, cell) in (0_u16..).zip(cells) {
            if !cell.is_empty() {
                sheet.write_string(row, column, cell)?;
            }
        }
    }
    Ok(workbook.save_to_buffer()?)
}

fn write_text(lines: impl Iterator<Item = Vec<String>>) -> Result<Vec<u8>, SheetFault> {
    let failed = |error: csv::Error| SheetFault::Csv(error.to_string());
    // Table programs take UTF-8 for granted only with this mark.
    let mut writer = csv::Writer::from_writer("\u{feff}".as_bytes().to_vec());
    for line in lines {
        writer
            .write_record(line.iter().map(|cell| guarded(cell)))
            .map_err(failed)?;
    }
    writer
        .into_inner()
        .map_err(|error| SheetFault::Csv(error.to_string()))
}

#[cfg(test)]
#[path = "sheet_tests.rs"]
mod tests;
