//! Tables there and back, and tables that cannot be read.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use super::*;

fn lines() -> Vec<Line> {
    let line = |code: &str, name: &str, faults: &str| Line {
        cells: BTreeMap::from([
            (Column::Code, code.to_owned()),
            (Column::Name, name.to_owned()),
        ]),
        faults: faults.to_owned(),
    };
    vec![
        line("0017", "张三丰", "The phone must have digits."),
        line("E-2", "=SUM(A1)", ""),
        line("+49", "O'Hara; \"Ada\"", ""),
    ]
}

#[test]
fn what_is_written_reads_back_without_the_faults() {
    for format in Format::ALL {
        let bytes = write(
            *format,
            &[Column::Code, Column::Name],
            lines().into_iter(),
            true,
        )
        .unwrap();
        assert_eq!(Format::of(&bytes), *format);
        let rows = read(&bytes).unwrap();
        assert_eq!(
            rows.iter().map(|row| row.number).collect::<Vec<_>>(),
            [2, 3, 4],
            "{format}"
        );
        for (row, line) in rows.iter().zip(lines()) {
            assert_eq!(row.cells, line.cells, "{format}");
        }
    }
}

#[test]
fn no_cell_of_a_csv_file_begins_to_calculate() {
    let bytes = write(
        Format::Csv,
        &[Column::Code, Column::Name],
        lines().into_iter(),
        false,
    )
    .unwrap();
    let text = String::from_utf8(bytes).unwrap();
    assert!(
        text.contains("'=SUM(A1)") && text.contains("+49") && !text.contains("'+49"),
        "{text}"
    );
}

#[test]
fn csv_is_read_with_any_separator_and_keeps_its_line_numbers() {
    for text in [
        "code,name\n1,a\n\n2,b\n",
        "\u{feff}code;name\r\n1;a\r\n\r\n2;b",
        "code\tname\n1\ta\n\n2\tb\n",
    ] {
        let rows = read(text.as_bytes()).unwrap();
        assert_eq!(
            rows.iter().map(|row| row.number).collect::<Vec<_>>(),
            [2, 4],
            "{text:?}"
        );
        assert_eq!(rows[1].cells[&Column::Name], "b");
    }
}

#[test]
fn numbers_and_dates_of_a_workbook_become_text() {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    for (column, heading) in (0_u16..).zip(["code", "phone", "birthday"]) {
        sheet.write_string(0, column, heading).unwrap();
    }
    sheet.write_number(1, 0, 1001.0).unwrap();
    sheet.write_number(1, 1, 13_800_138_000.0).unwrap();
    let date = rust_xlsxwriter::ExcelDateTime::from_ymd(2001, 2, 28).unwrap();
    let format = rust_xlsxwriter::Format::new().set_num_format("yyyy-mm-dd");
    sheet
        .write_datetime_with_format(1, 2, &date, &format)
        .unwrap();
    let rows = read(&workbook.save_to_buffer().unwrap()).unwrap();
    let cells = &rows[0].cells;
    assert_eq!(
        (
            cells[&Column::Code].as_str(),
            cells[&Column::Phone].as_str(),
            cells[&Column::Birthday].as_str()
        ),
        ("1001", "13800138000", "2001-02-28")
    );
}

#[test]
fn a_table_that_cannot_be_read_says_why() {
    for (bytes, why) in [
        (&b""[..], "empty"),
        (b"code,name", ""),
        (b"name\nAda", "no column \"code\""),
        (b"code,code\n1,2", "twice"),
        (b"code,shoe size\n1,2", "shoe size"),
        (b"code\n\xff\xfe", "UTF-8"),
        (b"PK\x03\x04nothing", "archive"),
    ] {
        match read(bytes) {
            Ok(rows) => assert!(why.is_empty() && rows.is_empty(), "{why}"),
            Err(fault) => assert!(
                !why.is_empty() && fault.to_string().contains(why),
                "{fault}"
            ),
        }
    }
    let long = format!("code,name\n1,{}", "x".repeat(CELL_MAX_CHARS + 1));
    assert!(
        read(long.as_bytes())
            .unwrap_err()
            .to_string()
            .contains("Cell 2 of row 2")
    );
    let many = format!("code\n{}", "1\n".repeat(ROWS_MAX + 1));
    assert!(matches!(
        read(many.as_bytes()),
        Err(SheetFault::TooManyRows)
    ));
}

/// A workbook with its headings, and a cell far away from them.
fn with_cell_at(row: u32, column: u16, cell: &str) -> Vec<u8> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    sheet.write_string(0, 0, "code").unwrap();
    sheet.write_string(row, column, cell).unwrap();
    workbook.save_to_buffer().unwrap()
}

#[test]
fn a_cell_far_out_makes_no_room_up_to_it() {
    // All cells up to the last one of a sheet would be seventeen thousand million.
    let last = with_cell_at(1_048_575, 16_383, "x");
    assert!(matches!(read(&last), Err(SheetFault::TooManyRows)));
    let right = with_cell_at(1, 16_383, "x");
    assert!(matches!(read(&right), Err(SheetFault::TooManyColumns)));
    let most = u32::try_from(ROWS_MAX).unwrap();
    let below = with_cell_at(most + 1, 0, "x");
    assert!(matches!(read(&below), Err(SheetFault::TooManyRows)));
    let rows = read(&with_cell_at(most, 0, "x")).unwrap();
    assert_eq!(
        rows.iter().map(|row| row.number).collect::<Vec<_>>(),
        [i64::from(most) + 1]
    );
}
