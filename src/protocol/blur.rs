//! What of a learner's doing is seen less well while the headset gives up quality to keep its frame rate.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What learning is read from, and a lower quality may blur.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Blur {
    /// How exactly things are placed: edges are seen less sharply.
    Precision,
    /// How fast text is read.
    Reading,
    /// How fast things are found by eye.
    VisualSearch,
    /// How fast is answered: panels follow later.
    Timing,
    /// Jerk, hesitation, path: fewer samples of a movement.
    MotionFeatures,
    /// What is learnt from watching: animations run less smoothly.
    Demonstration,
    /// How loose things fall and settle.
    LooseThings,
}

impl Blur {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Precision,
        Self::Reading,
        Self::VisualSearch,
        Self::Timing,
        Self::MotionFeatures,
        Self::Demonstration,
        Self::LooseThings,
    ];
}

/// A set of [`Blur`]s; on the wire a list of names.
#[derive(Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(from = "Vec<Blur>", into = "Vec<Blur>")]
#[schemars(with = "Vec<Blur>")]
pub struct Blurs(u8);

impl Blurs {
    /// With this one, too.
    #[must_use]
    pub const fn with(self, blur: Blur) -> Self {
        Self(self.0 | (1 << blur as u8))
    }

    /// Whether this one is blurred.
    #[must_use]
    pub const fn has(self, blur: Blur) -> bool {
        self.0 & (1 << blur as u8) != 0
    }

    /// Whether nothing is blurred.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0 == 0
    }

    /// Those that are, in the order of [`Blur::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Blur> {
        Blur::ALL.into_iter().filter(move |blur| self.has(*blur))
    }
}

impl fmt::Debug for Blurs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl From<Vec<Blur>> for Blurs {
    fn from(blurs: Vec<Blur>) -> Self {
        blurs.into_iter().fold(Self::default(), Self::with)
    }
}

impl From<Blurs> for Vec<Blur> {
    fn from(blurs: Blurs) -> Self {
        blurs.iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_a_list_of_names_and_reads_back() {
        let set = Blurs::default()
            .with(Blur::LooseThings)
            .with(Blur::Precision);
        let text = serde_json::to_string(&set).unwrap();
        assert_eq!(text, r#"["precision","loose_things"]"#);
        assert_eq!(serde_json::from_str::<Blurs>(&text).unwrap(), set);
        assert!(serde_json::from_str::<Blurs>("[]").unwrap().is_empty());
    }
}
