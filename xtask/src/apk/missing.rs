//! What a machine lacks for the headset's package, told all at once, in the order in which it is mended.

use std::fmt;

/// All that is missing, each with the command that mends it.
#[derive(Debug)]
pub struct Missing(pub Vec<Lack>);

/// One thing.
#[derive(Debug)]
pub struct Lack {
    pub what: String,
    pub mend: Mend,
}

/// What mends it.
#[derive(Debug)]
pub enum Mend {
    /// As it stands here.
    Type(String),
    /// A package of the SDK.
    Sdk {
        /// The program that installs them.
        manager: String,
        /// The package's name.
        package: &'static str,
        /// Another way, where there is one.
        or: Option<String>,
    },
}

impl Lack {
    pub fn new(what: impl Into<String>, mend: Mend) -> Self {
        Self {
            what: what.into(),
            mend,
        }
    }
}

impl Mend {
    pub fn words(words: impl Into<String>) -> Self {
        Self::Type(words.into())
    }

    /// The same, and another way.
    pub fn or(mut self, other: &str) -> Self {
        if let Self::Sdk { or, .. } = &mut self {
            *or = Some(other.to_owned());
        }
        self
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, verb) = match self.0.len() {
            1 => ("1 thing".to_owned(), "is"),
            many => (format!("{many} things"), "are"),
        };
        writeln!(
            f,
            "{count} {verb} missing for the headset's package; nothing was built."
        )?;
        let mut packages = Vec::new();
        let mut by = None;
        for (index, lack) in self.0.iter().enumerate() {
            writeln!(f, "\n {}. {}", index + 1, lack.what)?;
            match &lack.mend {
                Mend::Type(words) => writeln!(f, "      {words}")?,
                Mend::Sdk {
                    manager,
                    package,
                    or,
                } => {
                    writeln!(f, "      {manager} \"{package}\"")?;
                    if let Some(or) = or {
                        writeln!(f, "      or: {or}")?;
                    }
                    packages.push(format!("\"{package}\""));
                    by = Some(manager);
                }
            }
        }
        if let Some(manager) = by.filter(|_| packages.len() > 1) {
            writeln!(
                f,
                "\nAll of the SDK's in one go (the first command takes its licences):\n      yes | {manager} --licenses\n      {manager} {}",
                packages.join(" ")
            )?;
        }
        write!(
            f,
            "\nThen the same command again. docs/quest.md begins at an empty laptop; `cargo xtask apk --linkcheck` needs none of \
             this, and makes no package that runs."
        )
    }
}

impl std::error::Error for Missing {}

/// Two things that were looked for; what lacks for either is told in one list.
///
/// # Errors
/// Where anything lacks.
pub fn both<A, B>(one: Result<A, Missing>, other: Result<B, Missing>) -> Result<(A, B), Missing> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (one, other) => {
            let lacks = one.err().into_iter().chain(other.err());
            Err(Missing(lacks.flat_map(|missing| missing.0).collect()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sdk(package: &'static str) -> Mend {
        Mend::Sdk {
            manager: "sdkmanager".to_owned(),
            package,
            or: None,
        }
    }

    #[test]
    fn what_the_sdk_lacks_is_mended_by_one_command_too() {
        let missing = Missing(vec![
            Lack::new("Java", Mend::words("apt-get install java")),
            Lack::new("an NDK", sdk("ndk;27")),
            Lack::new("a platform", sdk("platforms;android-34")),
        ]);
        let told = missing.to_string();
        assert!(told.starts_with("3 things are missing"), "{told}");
        assert!(
            told.contains("\n 2. an NDK\n      sdkmanager \"ndk;27\"\n"),
            "{told}"
        );
        assert!(
            told.contains("\n      sdkmanager \"ndk;27\" \"platforms;android-34\"\n"),
            "{told}"
        );
    }

    #[test]
    fn what_lacks_in_two_places_is_one_list() {
        let lack = |what: &str| Missing(vec![Lack::new(what, Mend::words("mend it"))]);
        let told = both::<(), ()>(Err(lack("an NDK")), Err(lack("a key")));
        let told = told.unwrap_err().to_string();
        assert!(
            told.contains("1. an NDK") && told.contains("2. a key"),
            "{told}"
        );
        let told = both::<_, ()>(Ok(1), Err(lack("a key"))).unwrap_err();
        assert_eq!(told.0.len(), 1);
        assert_eq!(both(Ok(1), Ok(2)).unwrap(), (1, 2));
    }

    #[test]
    fn one_thing_is_told_without_ado() {
        let told = Missing(vec![Lack::new("an NDK", sdk("ndk;27"))]).to_string();
        assert!(
            told.starts_with("1 thing is") && !told.contains("in one go"),
            "{told}"
        );
    }
}
