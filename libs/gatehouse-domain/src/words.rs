//! A closed vocabulary: an enum whose members have one spelling, the same in JSON, in a column and
//! in a query string.

/// The text is not a word of the vocabulary it was read as.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{word}\" is not a {kind}; known are: {known}")]
pub struct UnknownWord {
    /// What was looked for, for example `record type`.
    pub kind: &'static str,
    /// What was found instead.
    pub word: String,
    /// All members, separated by commas.
    pub known: String,
}

/// Declares a closed vocabulary: the enum, `ALL`, `as_str`, `FromStr`, `Display` and serde by the
/// same spelling.
#[macro_export]
macro_rules! vocabulary {
    ($(#[$meta:meta])* $vis:vis enum $name:ident : $kind:literal { $($(#[$vmeta:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        $vis enum $name { $($(#[$vmeta])* #[serde(rename = $text)] $variant,)+ }

        impl $name {
            /// Every member, in the order of declaration.
            pub const ALL: &'static [$name] = &[$($name::$variant,)+];
            /// The one spelling, as in JSON, columns and query strings.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text,)+ }
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str(self.as_str()) }
        }
        impl std::str::FromStr for $name {
            type Err = $crate::words::UnknownWord;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($text => Ok($name::$variant),)+
                    other => Err($crate::words::UnknownWord {
                        kind: $kind,
                        word: other.chars().take(64).collect(),
                        known: [$($text),+].join(", "),
                    }),
                }
            }
        }
    };
}
