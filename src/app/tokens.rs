//! `malloc-vr tokens …`: who may come in by the bridge. Works beside a lesson that runs, which notices within a second.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use super::cli::IssueArgs;
use crate::bridge::access::tokens::{FILE, Grant, TokenEntry, Tokens, now_unix_ms};
use crate::bridge::access::{Scope, Token};
use crate::protocol::asker::TokenId;

fn file(data_dir: &Path) -> PathBuf {
    data_dir.join(FILE)
}

pub(super) fn list(all: bool, data_dir: &Path) -> Result<ExitCode, Box<dyn Error>> {
    let (tokens, now) = (Tokens::read(&file(data_dir))?, now_unix_ms());
    let shown: Vec<_> = tokens
        .list()
        .iter()
        .filter(|entry| all || entry.in_force(now))
        .collect();
    if shown.is_empty() {
        println!(
            "no token is in force; pair with the code that `malloc-vr play` shows, or `malloc-vr tokens issue NAME`"
        );
    }
    for entry in shown {
        println!("{}", line(entry, now));
    }
    Ok(ExitCode::SUCCESS)
}

fn line(entry: &TokenEntry, now: u64) -> String {
    let scope = match &entry.scope {
        Scope::Class => "class".to_owned(),
        Scope::Learners(those) => {
            let ids: Vec<String> = those.iter().map(ToString::to_string).collect();
            ids.join(",")
        }
    };
    let state = match (entry.replaced_by, entry.revoked_unix_ms) {
        (Some(by), _) => format!("replaced by {by}"),
        (None, Some(_)) => "revoked".to_owned(),
        (None, None) if !entry.in_force(now) => "expired".to_owned(),
        (None, None) => {
            let left = Duration::from_millis(entry.expires_unix_ms.saturating_sub(now));
            format!("for {}", rough(left))
        }
    };
    format!(
        "{}  {:<10}  {scope}  {state}  {}",
        entry.id, entry.role, entry.name
    )
}

/// Days, or hours, or minutes.
fn rough(time: Duration) -> String {
    let minutes = time.as_secs() / 60;
    match minutes {
        0..=119 => format!("{minutes} min"),
        120..=2879 => format!("{} h", minutes / 60),
        _ => format!("{} days", minutes / 1440),
    }
}

pub(super) fn issue(args: IssueArgs) -> Result<ExitCode, Box<dyn Error>> {
    let scope = if args.learner.is_empty() {
        Scope::Class
    } else {
        Scope::Learners(args.learner.into_iter().collect())
    };
    let grant = Grant {
        name: args.name,
        role: args.role.into(),
        scope,
        life: Duration::from_secs(args.days * 24 * 3600),
    };
    let token = Tokens::change(&file(&args.data.data_dir), |tokens| {
        tokens.issue(grant, now_unix_ms())
    })?;
    show(&token);
    Ok(ExitCode::SUCCESS)
}

pub(super) fn revoke(id: TokenId, data_dir: &Path) -> Result<ExitCode, Box<dyn Error>> {
    Tokens::change(&file(data_dir), |tokens| tokens.revoke(id, now_unix_ms()))?;
    println!("{id} opens nothing any more");
    Ok(ExitCode::SUCCESS)
}

pub(super) fn rotate(id: TokenId, data_dir: &Path) -> Result<ExitCode, Box<dyn Error>> {
    let token = Tokens::change(&file(data_dir), |tokens| tokens.rotate(id, now_unix_ms()))?;
    show(&token);
    Ok(ExitCode::SUCCESS)
}

/// On standard output only what scripts want; the advice beside it.
fn show(token: &Token) {
    eprintln!(
        "{} was issued; it is shown this once, keep it like a password:",
        token.id
    );
    println!("{}", token.text());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_roughly() {
        for (seconds, told) in [
            (59, "0 min"),
            (3600, "60 min"),
            (7200, "2 h"),
            (200_000, "2 days"),
        ] {
            assert_eq!(rough(Duration::from_secs(seconds)), told);
        }
    }
}
