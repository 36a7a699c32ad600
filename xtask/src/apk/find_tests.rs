use std::collections::BTreeMap;

use super::*;

/// A made-up machine in a folder.
struct Machine {
    folder: PathBuf,
    variables: BTreeMap<&'static str, OsString>,
}

impl Machine {
    fn empty(name: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("malloc-vr-find-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("bin").into_os_string();
        Self {
            folder,
            variables: BTreeMap::from([("PATH", path)]),
        }
    }

    fn with(self, files: &[&str]) -> Self {
        for file in files {
            let file = self.folder.join(file);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, "").unwrap();
        }
        self
    }

    fn ndk(self, revision: &str) -> Self {
        let home = format!("Android/Sdk/ndk/{revision}");
        let clang = format!(
            "{home}/toolchains/llvm/prebuilt/linux-x86_64/bin/aarch64-linux-android29-clang"
        );
        let machine = self.with(&[&clang]);
        std::fs::write(
            machine.folder.join(home).join("source.properties"),
            format!("Pkg.Desc = Android NDK\nPkg.Revision = {revision}\n"),
        )
        .unwrap();
        machine
    }

    /// Everything but an NDK.
    fn otherwise_complete(name: &str) -> Self {
        Self::empty(name).with(&[
            "Android/Sdk/build-tools/34.0.0/aapt2",
            "Android/Sdk/build-tools/34.0.0/zipalign",
            "Android/Sdk/build-tools/34.0.0/lib/apksigner.jar",
            // Newer, and not whole.
            "Android/Sdk/build-tools/35.0.0/aapt2",
            "Android/Sdk/platforms/android-34/android.jar",
            "Android/Sdk/platforms/android-9/android.jar",
            "Android/Sdk/platform-tools/adb",
            "bin/java",
            "bin/keytool",
            "loader.so",
            "rust/lib/rustlib/aarch64-linux-android/lib/x",
        ])
    }

    fn look(
        &self,
        loader: Option<&Path>,
        install: bool,
    ) -> Result<(Toolchain, Option<PathBuf>), Missing> {
        let variable = |name: &str| self.variables.get(name).cloned();
        Place {
            variable: &variable,
            home: Some(self.folder.clone()),
            sysroot: Some(self.folder.join("rust")),
        }
        .look(loader, install)
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[test]
fn an_empty_laptop_is_told_everything_at_once() {
    let machine = Machine::empty("empty");
    let told = machine.look(None, true).unwrap_err().to_string();
    for part in [
        "Android SDK",
        "commandlinetools",
        "NDK",
        "cmdline-tools/latest/bin/sdkmanager \"ndk;",
        "rustup target add aarch64-linux-android",
        "build-tools",
        "platforms;android",
        "keytool",
        "OpenXR loader",
        ".aar",
        "adb",
    ] {
        assert!(told.contains(part), "`{part}` is not in:\n{told}");
    }
    // Before what it is needed for.
    let places = ["Java", "the Android SDK", "the Android NDK"].map(|it| told.find(it).unwrap());
    assert!(places.is_sorted(), "{told}");
    assert_eq!(told.matches("Java").count(), 1, "{told}");
}

#[test]
fn a_complete_machine_lacks_nothing_and_its_newest_whole_tools_are_taken() {
    let machine = Machine::otherwise_complete("whole")
        .ndk("25.2.9519653")
        .ndk("27.0.1");
    let loader = machine.folder.join("loader.so");
    let (toolchain, adb) = machine.look(Some(&loader), true).unwrap();
    assert!(adb.is_some());
    let Compiler::Ndk { ndk, bin } = &toolchain.compiler else {
        panic!("no NDK");
    };
    assert!(ndk.ends_with("ndk/27.0.1") && bin.ends_with("linux-x86_64/bin"));
    assert!(toolchain.aapt2.program.ends_with("34.0.0/aapt2"));
    assert!(toolchain.framework.ends_with("android-34/android.jar"));
}

#[test]
fn an_old_ndk_is_named_with_its_release() {
    let machine = Machine::otherwise_complete("old").ndk("21.4.7075529");
    let loader = machine.folder.join("loader.so");
    let told = machine.look(Some(&loader), false).unwrap_err().to_string();
    assert!(told.contains("r21") && told.contains("r23"), "{told}");
    assert!(told.contains("1 thing is missing"), "{told}");
}

#[test]
fn an_ndk_that_a_variable_names_goes_before_others_and_is_blamed_by_its_variable() {
    let mut machine = Machine::otherwise_complete("named").ndk("27.0.1");
    let nowhere = machine.folder.join("nowhere");
    machine
        .variables
        .insert("ANDROID_NDK_HOME", nowhere.into_os_string());
    let loader = machine.folder.join("loader.so");
    let told = machine.look(Some(&loader), false).unwrap_err().to_string();
    assert!(
        told.contains("ANDROID_NDK_HOME") && told.contains("source.properties"),
        "{told}"
    );
}

#[test]
fn a_loader_that_is_not_there_is_told_before_anything_is_built() {
    let machine = Machine::otherwise_complete("loader").ndk("27.0.1");
    let told = machine
        .look(Some(Path::new("/no/such/loader.aar")), false)
        .unwrap_err()
        .to_string();
    assert!(
        told.contains("/no/such/loader.aar") && told.contains("openxr_loader_for_android"),
        "{told}"
    );
}
