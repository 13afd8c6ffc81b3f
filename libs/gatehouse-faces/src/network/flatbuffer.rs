//! FlatBuffers, as much of them as a `.tflite` file needs. Every offset is checked.

use super::tensor::ModelFault;

/// A table: a place in the file whose fields are found through its list of offsets.
#[derive(Clone, Copy)]
pub(crate) struct Table<'a> {
    file: &'a [u8],
    at: usize,
}

/// Fixed-size values of the format, all little-endian.
pub(crate) trait Scalar: Sized {
    /// Bytes of one.
    const BYTES: usize;
    /// From exactly so many bytes.
    fn from_slice(bytes: &[u8]) -> Option<Self>;
}

macro_rules! scalar {
    ($($kind:ty),*) => {$(
        impl Scalar for $kind {
            const BYTES: usize = size_of::<$kind>();
            fn from_slice(bytes: &[u8]) -> Option<Self> {
                Some(<$kind>::from_le_bytes(bytes.try_into().ok()?))
            }
        }
    )*};
}
scalar!(u8, u16, i32, u32, f32);

fn beyond() -> ModelFault {
    ModelFault::new("an offset points beyond the file")
}

fn scalar<S: Scalar>(file: &[u8], at: usize) -> Result<S, ModelFault> {
    let end = at.checked_add(S::BYTES).ok_or_else(beyond)?;
    file.get(at..end).and_then(S::from_slice).ok_or_else(beyond)
}

/// Where an offset that stands at a place points to.
fn follow(file: &[u8], at: usize) -> Result<usize, ModelFault> {
    let offset = usize::try_from(scalar::<u32>(file, at)?).map_err(|_| beyond())?;
    at.checked_add(offset).ok_or_else(beyond)
}

impl<'a> Table<'a> {
    /// The file's root table.
    pub(crate) fn root(file: &'a [u8]) -> Result<Table<'a>, ModelFault> {
        let at = follow(file, 0)?;
        Ok(Table { file, at })
    }

    /// Where a field stands; `None` when it is left out, and has its default.
    fn place(&self, field: usize) -> Result<Option<usize>, ModelFault> {
        let back = i64::from(scalar::<i32>(self.file, self.at)?);
        let here = i64::try_from(self.at).map_err(|_| beyond())?;
        let list = usize::try_from(here - back).map_err(|_| beyond())?;
        let length = usize::from(scalar::<u16>(self.file, list)?);
        let entry = 4 + 2 * field;
        if entry + 2 > length {
            return Ok(None);
        }
        let offset = usize::from(scalar::<u16>(self.file, list + entry)?);
        Ok((offset != 0).then_some(self.at + offset))
    }

    /// A number, or its default.
    pub(crate) fn number<S: Scalar>(&self, field: usize, default: S) -> Result<S, ModelFault> {
        match self.place(field)? {
            Some(at) => scalar(self.file, at),
            None => Ok(default),
        }
    }

    /// A table inside, if it is there.
    pub(crate) fn table(&self, field: usize) -> Result<Option<Table<'a>>, ModelFault> {
        let Some(at) = self.place(field)? else {
            return Ok(None);
        };
        let at = follow(self.file, at)?;
        Ok(Some(Table {
            file: self.file,
            at,
        }))
    }

    /// Where a list's elements begin, and how many they are.
    fn list(&self, field: usize) -> Result<(usize, usize), ModelFault> {
        let Some(at) = self.place(field)? else {
            return Ok((0, 0));
        };
        let at = follow(self.file, at)?;
        let count = usize::try_from(scalar::<u32>(self.file, at)?).map_err(|_| beyond())?;
        Ok((at + 4, count))
    }

    /// A list of tables; empty when it is left out.
    pub(crate) fn tables(&self, field: usize) -> Result<Vec<Table<'a>>, ModelFault> {
        let (begin, count) = self.list(field)?;
        // Each takes four bytes of the file, so a count that lies runs into its end.
        (0..count)
            .map(|index| {
                let at = follow(self.file, begin + 4 * index)?;
                Ok(Table {
                    file: self.file,
                    at,
                })
            })
            .collect()
    }

    /// A list of bytes; empty when it is left out.
    pub(crate) fn bytes(&self, field: usize) -> Result<&'a [u8], ModelFault> {
        let (begin, count) = self.list(field)?;
        let end = begin.checked_add(count).ok_or_else(beyond)?;
        self.file.get(begin..end).ok_or_else(beyond)
    }

    /// A list of whole numbers, none of them negative.
    pub(crate) fn indices(&self, field: usize) -> Result<Vec<usize>, ModelFault> {
        let (begin, count) = self.list(field)?;
        (0..count)
            .map(|index| {
                let value = scalar::<i32>(self.file, begin + 4 * index)?;
                usize::try_from(value)
                    .map_err(|_| ModelFault::new("a number in the file is negative"))
            })
            .collect()
    }
}
