//! Cargo, always over the whole workspace: another selection would unify features differently and build twice.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::root;

/// `cargo ARGS` in the workspace, its output shown.
pub fn cargo(args: &[&str]) -> Command {
    // Cargo names itself to what it runs.
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(args).current_dir(root());
    command
}

/// Runs a command to its end.
///
/// # Errors
/// Where it cannot start or fails.
pub fn succeed(command: &mut Command) -> Result<()> {
    let shown = shown(command);
    let status = command
        .status()
        .with_context(|| format!("cannot start {shown}"))?;
    if !status.success() {
        bail!("{shown} failed: {status}");
    }
    Ok(())
}

/// A command's program and its last words: what went between is ours, not the reader's.
pub fn shown(command: &Command) -> String {
    let words: Vec<_> = command
        .get_args()
        .map(|word| word.to_string_lossy())
        .collect();
    let program = command.get_program().to_string_lossy();
    match words.iter().position(|word| *word == "enter") {
        // Behind it come the folder and the two places that are mounted.
        Some(enter) => words
            .iter()
            .skip(enter + 4)
            .cloned()
            .collect::<Vec<_>>()
            .join(" "),
        None => format!("{program} {}", words.join(" ")),
    }
}

/// Where cargo puts what it builds.
pub fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Builds one test target and gives the path of its binary.
///
/// # Errors
/// Where it does not build.
pub fn build_test(name: &str) -> Result<PathBuf> {
    let output = cargo(&[
        "test",
        "--workspace",
        "--no-run",
        "--message-format=json-render-diagnostics",
    ])
    .args(["--test", name])
    .stderr(Stdio::inherit())
    .output()
    .context("cannot start cargo")?;
    if !output.status.success() {
        bail!("the test `{name}` does not build");
    }
    test_binary(&String::from_utf8_lossy(&output.stdout), name)
        .with_context(|| format!("cargo built no test binary `{name}`"))
}

/// The executable of a test target in cargo's JSON messages.
fn test_binary(messages: &str, name: &str) -> Option<PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| {
            message["reason"] == "compiler-artifact"
                && message["target"]["name"] == name
                && message["profile"]["test"] == true
        })
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_binary_is_found_among_cargos_messages() {
        let messages = concat!(
            "not json\n",
            r#"{"reason":"compiler-artifact","target":{"name":"malloc-vr"},"profile":{"test":false},"executable":"/t/malloc-vr"}"#,
            "\n",
            r#"{"reason":"compiler-artifact","target":{"name":"xr"},"profile":{"test":true},"executable":"/t/deps/xr-1"}"#,
        );
        assert_eq!(
            test_binary(messages, "xr"),
            Some(PathBuf::from("/t/deps/xr-1"))
        );
        assert_eq!(test_binary(messages, "cli"), None);
    }
}
