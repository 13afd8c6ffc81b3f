//! Archives from outside: unpacked under limits that are enforced on the bytes that come out, not on
//! what the archive says of itself. An archive with an entry that leads out of its folder is refused
//! as a whole.

use std::io::{Read, Seek};
use zip::ZipArchive;

/// How much may come out of an archive.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) entries: usize,
    pub(super) entry_bytes: u64,
    pub(super) total_bytes: u64,
}

/// The bounds of an archive of photos.
pub(super) const PHOTOS: Bounds = Bounds {
    entries: 30_000,
    entry_bytes: 10 << 20,
    total_bytes: 16 << 30,
};

/// Why an archive is refused.
#[derive(Debug, thiserror::Error)]
pub(super) enum ArchiveFault {
    #[error("The archive cannot be read: {0}.")]
    Unreadable(String),
    #[error("The archive has {found} entries; at most {most} are taken.")]
    TooMany { found: usize, most: usize },
    #[error("The entry \"{0}\" leads out of the archive; such archives are refused.")]
    LeadsOut(String),
    #[error("The entry \"{0}\" is a link; such archives are refused.")]
    Link(String),
    #[error("The entry \"{name}\" unpacks to more than {most} bytes.")]
    TooLarge { name: String, most: u64 },
    #[error("The archive unpacks to more than {0} bytes.")]
    Bomb(u64),
    #[error("The archive is locked with a password.")]
    Locked,
    #[error("What was unpacked could not be kept: {0}")]
    NotKept(String),
}

impl From<zip::result::ZipError> for ArchiveFault {
    fn from(error: zip::result::ZipError) -> Self {
        Self::Unreadable(error.to_string())
    }
}

/// Unpacks everything and keeps nothing: whether an archive stays within bounds.
pub(super) fn measure(from: impl Read + Seek, bounds: &Bounds) -> Result<(), ArchiveFault> {
    unpack(from, bounds, |_, _| Ok(()))
}

/// A photo of an archive: the name of its file without folder and ending, and its bytes.
pub(super) struct Photo {
    pub(super) code: String,
    pub(super) bytes: Vec<u8>,
}

/// Unpacks photos, one after the other. Files with other endings are passed over; so are the files
/// that some systems put beside each (`__MACOSX`, names that begin with a dot).
pub(super) fn photos(
    from: impl Read + Seek,
    bounds: &Bounds,
    mut keep: impl FnMut(Photo) -> Result<(), String>,
) -> Result<(), ArchiveFault> {
    unpack(from, bounds, |name, bytes| match code_of(name) {
        Some(code) => keep(Photo { code, bytes }).map_err(ArchiveFault::NotKept),
        None => Ok(()),
    })
}

fn code_of(name: &str) -> Option<String> {
    let file = name.rsplit('/').next()?;
    let (code, ending) = file.rsplit_once('.')?;
    let picture = ["jpg", "jpeg", "png", "bmp"].contains(&ending.to_lowercase().as_str());
    let beside = file.starts_with('.') || name.starts_with("__MACOSX/");
    (picture && !beside && !code.trim().is_empty()).then(|| code.trim().to_owned())
}

fn unpack(
    from: impl Read + Seek,
    bounds: &Bounds,
    mut each: impl FnMut(&str, Vec<u8>) -> Result<(), ArchiveFault>,
) -> Result<(), ArchiveFault> {
    let mut archive = ZipArchive::new(from)?;
    if archive.len() > bounds.entries {
        return Err(ArchiveFault::TooMany {
            found: archive.len(),
            most: bounds.entries,
        });
    }
    // All names are judged before anything is unpacked.
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index)?;
        let name = entry.name()?.into_owned();
        if entry.enclosed_name().is_none() || leads_out(&name) {
            return Err(ArchiveFault::LeadsOut(shown(&name)));
        }
        if entry.is_symlink() {
            return Err(ArchiveFault::Link(shown(&name)));
        }
        if entry.encrypted() {
            return Err(ArchiveFault::Locked);
        }
    }
    let mut total = 0_u64;
    for index in 0..archive.len() {
        let entry = archive.by_index(index)?;
        if entry.is_dir() {
            continue;
        }
        let name = entry.name()?.into_owned();
        let mut bytes = Vec::new();
        let most = bounds
            .entry_bytes
            .min(bounds.total_bytes.saturating_sub(total));
        entry
            .take(most.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|error| ArchiveFault::Unreadable(error.to_string()))?;
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        total = total.saturating_add(length);
        if length > bounds.entry_bytes {
            return Err(ArchiveFault::TooLarge {
                name: shown(&name),
                most: bounds.entry_bytes,
            });
        }
        if total > bounds.total_bytes {
            return Err(ArchiveFault::Bomb(bounds.total_bytes));
        }
        each(&name, bytes)?;
    }
    Ok(())
}

/// Stricter than is needed: no honest program writes such names.
fn leads_out(name: &str) -> bool {
    name.starts_with('/') || name.contains('\\') || name.split('/').any(|part| part == "..")
}

/// A name from outside in a sentence.
fn shown(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(100).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use std::io::{Cursor, Write};
    use zip::write::{SimpleFileOptions, ZipWriter};

    const SMALL: Bounds = Bounds {
        entries: 3,
        entry_bytes: 1000,
        total_bytes: 1500,
    };

    fn archive(files: &[(&str, usize)]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, length) in files {
            writer
                .start_file(*name, SimpleFileOptions::default())
                .unwrap();
            writer.write_all(&vec![0; *length]).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn codes(bytes: &[u8]) -> Result<Vec<String>, ArchiveFault> {
        let mut codes = Vec::new();
        photos(Cursor::new(bytes), &SMALL, |photo| {
            codes.push(photo.code);
            Ok(())
        })?;
        Ok(codes)
    }

    #[test]
    fn photos_are_named_by_code() {
        let files = [
            ("staff/E-1.JPG", 3),
            ("__MACOSX/E-1.jpg", 3),
            ("list.txt", 3),
        ];
        assert_eq!(codes(&archive(&files)).unwrap(), ["E-1"]);
        assert_eq!(
            codes(&archive(&[("._E-1.jpg", 1), ("E 2.png", 1)])).unwrap(),
            ["E 2"]
        );
    }

    #[test]
    fn what_leads_out_or_is_too_much_is_refused() {
        for (files, why) in [
            (vec![("../E-1.jpg", 1)], "leads out"),
            (vec![("a/../../E-1.jpg", 1)], "leads out"),
            (vec![("/etc/E-1.jpg", 1)], "leads out"),
            (vec![("a\\..\\E-1.jpg", 1)], "leads out"),
            (vec![("E-1.jpg", 1001)], "more than 1000 bytes"),
            (vec![("1.jpg", 900), ("2.jpg", 900)], "more than 1500 bytes"),
            (
                vec![("1.jpg", 1), ("2.jpg", 1), ("3.jpg", 1), ("4.jpg", 1)],
                "4 entries",
            ),
        ] {
            let fault = codes(&archive(&files)).unwrap_err().to_string();
            assert!(fault.contains(why), "{fault}");
        }
    }

    #[test]
    fn an_archive_that_lies_about_its_size_is_found_out() {
        let mut bytes = archive(&[("1.jpg", 900_000)]);
        // The size in the central directory and in the local header.
        let size = 900_000_u32.to_le_bytes();
        for at in 0..bytes.len().saturating_sub(4) {
            if bytes.get(at..at + 4) == Some(&size[..]) {
                bytes.splice(at..at + 4, 9_u32.to_le_bytes());
            }
        }
        assert!(codes(&bytes).is_err());
    }
}
