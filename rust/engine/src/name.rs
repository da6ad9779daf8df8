//! The name of an endpoint.

use std::{fmt, sync::Arc};

/// A name. A short one lies beside what it names: who looks the endpoint up by it waits once for
/// memory, and ten thousand of them are not ten thousand allocations more.
#[derive(Clone)]
pub(crate) enum Name {
    Short {
        length: u8,
        bytes: [u8; SHORT_BYTES],
    },
    /// Shared by those who have it.
    Long(Arc<str>),
}

/// As many as take no more room than a text elsewhere does, with what tells the two apart.
const SHORT_BYTES: usize = 22;

impl Name {
    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Short { length, bytes } => &bytes[..usize::from(*length)],
            Self::Long(text) => text.as_bytes(),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        match self {
            // They were a text when they came.
            Self::Short { .. } => str::from_utf8(self.as_bytes()).unwrap_or_default(),
            Self::Long(text) => text,
        }
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        let mut bytes = [0; SHORT_BYTES];
        match (bytes.get_mut(..text.len()), u8::try_from(text.len())) {
            (Some(start), Ok(length)) => {
                start.copy_from_slice(text.as_bytes());
                Self::Short { length, bytes }
            }
            _ => Self::Long(text.into()),
        }
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Name, SHORT_BYTES};

    #[test]
    fn names_of_every_length_are_kept() {
        for length in [
            0,
            1,
            SHORT_BYTES - 1,
            SHORT_BYTES,
            SHORT_BYTES + 1,
            255,
            256,
            300,
        ] {
            let text = "é".repeat(length / 2) + &"x".repeat(length % 2);
            let name = Name::from(&*text);
            assert_eq!((name.as_str(), name.as_bytes()), (&*text, text.as_bytes()));
            assert_eq!(matches!(name, Name::Short { .. }), length <= SHORT_BYTES);
        }
    }

    #[test]
    fn a_short_name_takes_no_more_than_a_long_one() {
        assert_eq!(size_of::<Name>(), size_of::<(usize, Arc<str>)>());
    }
}
