//! The programs that a package is made with, and how each is started.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

/// A program with what must come before its arguments.
#[derive(Debug, Clone)]
pub struct Tool {
    pub program: PathBuf,
    pub before: Vec<OsString>,
}

impl Tool {
    pub fn at(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            before: Vec::new(),
        }
    }

    /// A Java program.
    pub fn java(java: PathBuf, class_path: &OsString, class: &str) -> Self {
        Self {
            program: java,
            before: vec!["-cp".into(), class_path.clone(), class.into()],
        }
    }
}

/// Who compiles and links for the headset.
#[derive(Debug, Clone)]
pub enum Compiler {
    /// The machine's Rust with its Android target, and an NDK.
    Ndk {
        /// `toolchains/llvm/prebuilt/HOST/bin`.
        bin: PathBuf,
        /// The NDK itself.
        ndk: PathBuf,
    },
    /// Debian's Rust with its source, clang and lld, unpacked in a folder.
    Debian {
        /// Where they are unpacked.
        folder: PathBuf,
        /// Stubs of Android's libraries.
        stubs: PathBuf,
        /// Where cargo keeps what it built.
        target: PathBuf,
    },
}

/// Where the OpenXR loader comes from.
#[derive(Debug, Clone)]
pub enum LoaderSource {
    /// A library, or an archive with one.
    File(PathBuf),
    /// Khronos' source as `openxr-sys` brings it.
    Source {
        source: PathBuf,
        cmake: PathBuf,
        ninja: PathBuf,
    },
    /// A library with the right names and nothing behind them.
    Stub(PathBuf),
}

/// Everything a package is made with.
#[derive(Debug, Clone)]
pub struct Toolchain {
    pub compiler: Compiler,
    pub aapt2: Tool,
    /// Debian's aapt2 is of 2019 and warns of what it does not know in a manifest instead of failing only when told so.
    pub old_aapt2: bool,
    pub zipalign: Tool,
    pub apksigner: Tool,
    pub keytool: Tool,
    /// android.jar, or the framework's resources.
    pub framework: PathBuf,
    pub loader: LoaderSource,
    /// Where the tools' own shared libraries lie; empty where the system has them.
    pub libraries: Vec<PathBuf>,
}

impl Toolchain {
    /// Starts one of the tools.
    pub fn command(&self, tool: &Tool) -> Command {
        let mut command = Command::new(&tool.program);
        command.args(&tool.before);
        self.find_libraries(&mut command);
        command
    }

    /// Cargo puts its own folders into this variable, which Debian's tools must not see.
    pub fn find_libraries(&self, command: &mut Command) {
        command.env_remove("LD_LIBRARY_PATH");
        if !self.libraries.is_empty()
            && let Ok(paths) = std::env::join_paths(&self.libraries)
        {
            command.env("LD_LIBRARY_PATH", paths);
        }
    }
}
