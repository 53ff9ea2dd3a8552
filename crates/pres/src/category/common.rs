//! Types that several schemas share (\[MS-PRES\], common types).

use ocs_xml::{SmolStr, content};

use crate::Time;

content! {
    /// Text in a language: the schemas' `LCIDType`.
    #[derive(Default)]
    pub struct Localized("", "LCIDType") {
        /// The language, as Windows numbers them (1033 is English of the United States).
        attr_opt lcid: u32 = "LCID",
        /// When it was changed last.
        attr_opt updated: Time,
        /// The text.
        text value: SmolStr,
    }
}

content! {
    /// A URI and when it was changed: the schemas' `updatedAnyURI`.
    #[derive(Default)]
    pub struct UpdatedUri("", "updatedAnyURI") {
        /// When it was changed last.
        attr_opt updated: Time,
        /// The URI.
        text value: SmolStr,
    }
}

impl Localized {
    /// Text of a language.
    #[must_use]
    pub fn new(lcid: u32, value: impl Into<SmolStr>) -> Self {
        Self {
            lcid: Some(lcid),
            ..Self::from(value.into())
        }
    }

    /// The text for a reader of a language: of that language, else of a dialect of it, else without language, else the first
    /// (inferred).
    #[must_use]
    pub fn choose(texts: &[Self], lcid: u32) -> Option<&Self> {
        // The low ten bits are the language, what is above the dialect.
        let language = |of: u32| of & 0x3FF;
        texts
            .iter()
            .find(|text| text.lcid == Some(lcid))
            .or_else(|| {
                texts
                    .iter()
                    .find(|text| text.lcid.map(language) == Some(language(lcid)))
            })
            .or_else(|| texts.iter().find(|text| text.lcid.is_none()))
            .or_else(|| texts.first())
    }
}

impl From<SmolStr> for Localized {
    fn from(value: SmolStr) -> Self {
        Self {
            value,
            ..Self::default()
        }
    }
}

impl From<&str> for Localized {
    fn from(value: &str) -> Self {
        SmolStr::from(value).into()
    }
}

impl From<SmolStr> for UpdatedUri {
    fn from(value: SmolStr) -> Self {
        Self {
            value,
            ..Self::default()
        }
    }
}

impl From<&str> for UpdatedUri {
    fn from(value: &str) -> Self {
        SmolStr::from(value).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_language_is_chosen() {
        let texts = [
            Localized::new(1031, "Beschäftigt"),
            "busy".into(),
            Localized::new(2057, "engaged"),
        ];
        let chosen = |lcid| Localized::choose(&texts, lcid).map(|text| text.value.as_str());
        assert_eq!(chosen(1031), Some("Beschäftigt"));
        assert_eq!(chosen(3079), Some("Beschäftigt"));
        assert_eq!(chosen(1033), Some("engaged"));
        assert_eq!(chosen(1036), Some("busy"));
        assert_eq!(Localized::choose(&texts[..1], 1036), texts.first());
        assert_eq!(Localized::choose(&[], 1036), None);
    }
}
