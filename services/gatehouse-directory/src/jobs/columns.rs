//! The columns of a table of persons, the same on the way in and on the way out.

use crate::persons::PersonPatch;
use gatehouse_domain::vocabulary;
use std::collections::BTreeMap;

vocabulary! {
    /// A column. A table may have them in any order and leave out all but `code`.
    pub(super) enum Column: "column" {
        /// By it rows, persons and photos are matched. Never by the name: two people may share one.
        Code = "code",
        Name = "name",
        Type = "type",
        Gender = "gender",
        Birthday = "birthday",
        PhoneAreaCode = "phone_area_code",
        Phone = "phone",
        Email = "email",
        Position = "position",
        WorkPlace = "work_place",
        EntryOn = "entry_on",
        /// Codes are unique within a tenant, names of departments are not.
        DepartmentCode = "department_code",
        /// Written masked on the way out, and then ignored on the way in.
        IdDocumentNumber = "id_document_number",
        /// Several are separated by semicolons.
        Cards = "cards",
        /// Never written on the way out.
        Pin = "pin",
        Remark = "remark",
        Priority = "priority",
        ValidFrom = "valid_from",
        ValidTo = "valid_to",
        WelcomeText = "welcome_text",
        DisplayText = "display_text",
        /// Names of groups, separated by semicolons. The person is put into them, and taken out of none.
        Groups = "groups",
        Disabled = "disabled",
    }
}

/// The column in which a report says what was wrong with a row; ignored on the way in, so that a
/// mended report can be uploaded as it is.
pub(super) const FAULTS: &str = "what_was_wrong";

/// The words of a heading that people of the trade use for a column.
const ALIASES: &[(&str, Column)] = &[
    ("工号", Column::Code),
    ("编号", Column::Code),
    ("job_number", Column::Code),
    ("姓名", Column::Name),
    ("类型", Column::Type),
    ("性别", Column::Gender),
    ("生日", Column::Birthday),
    ("手机", Column::Phone),
    ("手机号", Column::Phone),
    ("mobile", Column::Phone),
    ("邮箱", Column::Email),
    ("职位", Column::Position),
    ("工作地点", Column::WorkPlace),
    ("入职日期", Column::EntryOn),
    ("部门编号", Column::DepartmentCode),
    ("身份证号", Column::IdDocumentNumber),
    ("卡号", Column::Cards),
    ("card_no", Column::Cards),
    ("备注", Column::Remark),
    ("分组", Column::Groups),
];

/// What a heading stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heading {
    /// A column.
    Of(Column),
    /// The faults of an earlier try, or nothing at all.
    Ignored,
}

/// Reads a heading, in whatever case and with spaces or underscores.
pub(super) fn heading(text: &str) -> Result<Heading, String> {
    let word = text.trim().to_lowercase().replace([' ', '-'], "_");
    if word.is_empty() || word == FAULTS {
        return Ok(Heading::Ignored);
    }
    if let Some((_, column)) = ALIASES.iter().find(|(alias, _)| *alias == word) {
        return Ok(Heading::Of(*column));
    }
    word.parse::<Column>().map(Heading::Of).map_err(|unknown| {
        format!(
            "There is no column \"{}\"; known are: {}.",
            text.trim(),
            unknown.known
        )
    })
}

/// What a row says about a person, and what it says beside.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) code: String,
    pub(super) patch: PersonPatch,
    pub(super) department_code: Option<String>,
    pub(super) groups: Vec<String>,
}

/// Puts the cells of a row together. Empty cells say nothing: what is known stays.
pub(super) fn said(cells: &BTreeMap<Column, String>) -> Said {
    let mut said = Said::default();
    for (column, cell) in cells {
        let text = cell.trim();
        if text.is_empty() {
            continue;
        }
        let (owned, patch) = (text.to_owned(), &mut said.patch);
        match column {
            Column::Code => {
                said.code.clone_from(&owned);
                patch.code = Some(Some(owned));
            }
            Column::Name => patch.name = Some(owned),
            Column::Type => patch.kind = Some(word(text, TYPES)),
            Column::Gender => patch.gender = Some(word(text, GENDERS)),
            Column::Birthday => patch.birthday = Some(Some(date(text))),
            Column::PhoneAreaCode => patch.phone_area_code = Some(Some(owned)),
            Column::Phone => patch.phone = Some(Some(owned)),
            Column::Email => patch.email = Some(Some(owned)),
            Column::Position => patch.position = Some(Some(owned)),
            Column::WorkPlace => patch.work_place = Some(Some(owned)),
            Column::EntryOn => patch.entry_on = Some(Some(date(text))),
            Column::DepartmentCode => said.department_code = Some(owned),
            Column::IdDocumentNumber if text.contains('*') => {}
            Column::IdDocumentNumber => patch.id_document_number = Some(Some(owned)),
            Column::Cards => patch.cards = Some(Some(list(text))),
            Column::Pin => patch.pin = Some(Some(owned)),
            Column::Remark => patch.remark = Some(Some(owned)),
            Column::Priority => patch.priority = Some(owned.to_lowercase()),
            Column::ValidFrom => patch.valid_from = Some(Some(date(text))),
            Column::ValidTo => patch.valid_to = Some(Some(date(text))),
            Column::WelcomeText => patch.welcome_text = Some(Some(owned)),
            Column::DisplayText => patch.display_text = Some(Some(owned)),
            Column::Groups => said.groups = list(text),
            Column::Disabled => {
                patch.disabled = Some(matches!(
                    text.to_lowercase().as_str(),
                    "true" | "yes" | "1" | "是"
                ))
            }
        }
    }
    said
}

const TYPES: &[(&str, &str)] = &[
    ("员工", "staff"),
    ("访客", "visitor"),
    ("黑名单", "blocklist"),
];
const GENDERS: &[(&str, &str)] = &[
    ("男", "male"),
    ("女", "female"),
    ("m", "male"),
    ("f", "female"),
];

fn word(text: &str, known: &[(&str, &str)]) -> String {
    let word = text.to_lowercase();
    let found = known.iter().find(|(theirs, _)| *theirs == word);
    found.map_or(word.clone(), |(_, ours)| (*ours).to_owned())
}

/// Dates as tables have them: with slashes or dots, with a time after a space.
fn date(text: &str) -> String {
    let (day, time) = text
        .split_once(' ')
        .map_or((text, None), |(day, time)| (day, Some(time)));
    let parts: Vec<&str> = day.split(['/', '.', '-']).collect();
    let day = match parts.as_slice() {
        [year, month, day] if year.len() == 4 => format!("{year}-{month:0>2}-{day:0>2}"),
        _ => day.to_owned(),
    };
    match time {
        Some(time) if time.split(':').count() == 2 => format!("{day}T{time}:00"),
        Some(time) => format!("{day}T{time}"),
        None => day,
    }
}

fn list(text: &str) -> Vec<String> {
    text.split([';', '；'])
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn headings_are_read_as_people_write_them() {
        for (text, column) in [
            ("code", Column::Code),
            (" Valid From ", Column::ValidFrom),
            ("Work-Place", Column::WorkPlace),
            ("姓名", Column::Name),
            ("CARD_NO", Column::Cards),
        ] {
            assert_eq!(heading(text), Ok(Heading::Of(column)), "{text}");
        }
        assert_eq!(heading("what was wrong"), Ok(Heading::Ignored));
        assert!(
            heading("shoe size")
                .unwrap_err()
                .contains("known are: code, name")
        );
    }

    #[test]
    fn every_column_says_something_and_empty_cells_say_nothing() {
        for column in Column::ALL {
            let cells = BTreeMap::from([(*column, "7".to_owned())]);
            let empty = format!("{:?}", Said::default());
            assert_ne!(format!("{:?}", said(&cells)), empty, "{column}");
            let blank = BTreeMap::from([(*column, "  ".to_owned())]);
            assert_eq!(format!("{:?}", said(&blank)), empty, "{column}");
        }
    }

    #[test]
    fn dates_of_tables_become_dates_of_the_api() {
        for (text, expected) in [
            ("2001/2/8", "2001-02-08"),
            ("2001.02.08", "2001-02-08"),
            ("2001-02-08", "2001-02-08"),
            ("2026-12-01 08:30", "2026-12-01T08:30:00"),
            ("2026-12-01T08:30:00+08:00", "2026-12-01T08:30:00+08:00"),
            ("tomorrow", "tomorrow"),
        ] {
            assert_eq!(date(text), expected, "{text}");
        }
    }

    #[test]
    fn a_masked_number_is_not_taken_for_one() {
        let cells = BTreeMap::from([(Column::IdDocumentNumber, "********1234".to_owned())]);
        assert_eq!(said(&cells).patch.id_document_number, None);
    }
}
