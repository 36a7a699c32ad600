//! What a package is signed with: a person's own key, or a debug key that is made once.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::missing::{Lack, Mend, Missing};
use super::quietly;
use super::tools::Toolchain;

/// What a package is signed with.
pub struct Key {
    pub keystore: PathBuf,
    pub alias: String,
    /// Made where it is not there; its password is known to everybody.
    debug: bool,
}

/// Variable with the password of the release key.
const PASSWORD: &str = "MALLOC_VR_KEYSTORE_PASSWORD";
/// What Android's own tools use for debug keys.
const DEBUG_PASSWORD: &str = "android";
const DEBUG_ALIAS: &str = "androiddebugkey";

impl Key {
    /// The key store given, else Android's usual debug key in `~/.android`: updates must be signed with the same key,
    /// so it is not one for each build folder.
    ///
    /// # Errors
    /// Where a key store is named and it or its password is missing.
    pub fn choose(keystore: Option<&Path>, alias: &str) -> Result<Self, Missing> {
        Self::choose_with(keystore, alias, std::env::var_os(PASSWORD).is_some())
    }

    fn choose_with(keystore: Option<&Path>, alias: &str, password: bool) -> Result<Self, Missing> {
        let Some(keystore) = keystore else {
            let folder = std::env::home_dir().map(|home| home.join(".android"));
            return match folder.filter(|it| std::fs::create_dir_all(it).is_ok()) {
                Some(folder) => Ok(Self::debug_in(&folder)),
                None => Err(Missing(vec![Lack::new(
                    "a home folder that can be written to, for the debug key",
                    Mend::words("cargo xtask apk --keystore FILE"),
                )])),
            };
        };
        let mut lacks = Vec::new();
        if !keystore.is_file() {
            lacks.push(Lack::new(
                format!("the key store {}", keystore.display()),
                Mend::words(format!(
                    "keytool -genkeypair -keystore {} -alias {alias} -keyalg RSA -keysize 4096 -validity 10000",
                    keystore.display()
                )),
            ));
        }
        if !password {
            lacks.push(Lack::new(
                format!("the password of {}", keystore.display()),
                Mend::words(format!("export {PASSWORD}=…")),
            ));
        }
        if !lacks.is_empty() {
            return Err(Missing(lacks));
        }
        Ok(Self {
            keystore: keystore.to_owned(),
            alias: alias.to_owned(),
            debug: false,
        })
    }

    /// A debug key in this folder.
    pub fn debug_in(folder: &Path) -> Self {
        Self {
            keystore: folder.join("debug.keystore"),
            alias: DEBUG_ALIAS.to_owned(),
            debug: true,
        }
    }

    /// Makes a debug key that is not there yet.
    ///
    /// # Errors
    /// Where keytool does not.
    pub fn ready(&self, toolchain: &Toolchain) -> Result<()> {
        if !self.debug || self.keystore.is_file() {
            return Ok(());
        }
        println!("making a debug key, once: {}", self.keystore.display());
        quietly(
            toolchain
                .command(&toolchain.keytool)
                .args([
                    "-genkeypair",
                    "-keyalg",
                    "RSA",
                    "-keysize",
                    "2048",
                    "-validity",
                    "10000",
                ])
                .args([
                    "-dname",
                    "CN=Android Debug,O=Android,C=US",
                    "-alias",
                    &self.alias,
                ])
                .args(["-storepass", DEBUG_PASSWORD, "-keypass", DEBUG_PASSWORD])
                .arg("-keystore")
                .arg(&self.keystore),
        )
        .map(drop)
    }

    /// The password, as apksigner takes it.
    pub fn password(&self) -> String {
        if self.debug {
            format!("pass:{DEBUG_PASSWORD}")
        } else {
            // By the variable's name: a command line can be read by everybody on the machine.
            format!("env:{PASSWORD}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_key_that_is_not_there_is_told_with_its_password_and_before_anything_is_built() {
        let nowhere = Path::new("/no/such/release.keystore");
        let Err(missing) = Key::choose_with(Some(nowhere), "ours", false) else {
            panic!("it was taken");
        };
        let told = missing.to_string();
        for part in [
            "2 things",
            "keytool -genkeypair -keystore /no/such/release.keystore -alias ours",
            "export MALLOC_VR_KEYSTORE_PASSWORD=",
        ] {
            assert!(told.contains(part), "`{part}` is not in:\n{told}");
        }
        let here = std::env::current_exe().unwrap();
        assert!(Key::choose_with(Some(&here), "ours", true).is_ok());
    }
}
