//! The headset at the cable: installing, starting, and following the log.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::package::APPLICATION;
use super::{loudly, refuse_linkcheck};

/// How long the application may take to appear among the headset's processes.
const START_PATIENCE: Duration = Duration::from_secs(20);

/// Installs a package on the headset that is connected, starts it and follows its log until Ctrl-C.
///
/// # Errors
/// Where there is not exactly one headset, or it refuses the package.
pub fn install(adb: &Path, apk: &Path) -> Result<()> {
    refuse_linkcheck(apk)?;
    let said = output(Command::new(adb).args(["devices", "-l"]))?;
    let wanted = std::env::var("ANDROID_SERIAL").ok();
    let serial = choose(&said, wanted.as_deref())?;
    let adb = |words: &[&str]| {
        let mut command = Command::new(adb);
        command.args(["-s", &serial]).args(words);
        command
    };
    println!("installing on {serial} …");
    let mut install = adb(&["install", "-r"]);
    let done = install.arg(apk).output().context("cannot start adb")?;
    let told = format!(
        "{}{}",
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr)
    );
    if !done.status.success() || told.contains("Failure [") {
        bail!("{}", refusal(&told));
    }
    loudly(&mut adb(&[
        "shell",
        "am",
        "start",
        "-n",
        &format!("{APPLICATION}/android.app.NativeActivity"),
    ]))?;
    let begun = Instant::now();
    let process = loop {
        let pid = output(&mut adb(&["shell", "pidof", APPLICATION])).unwrap_or_default();
        if let Some(pid) = pid.split_whitespace().next() {
            break pid.to_owned();
        }
        if begun.elapsed() > START_PATIENCE {
            bail!(
                "the application does not run; put the headset on and start it under \"Unknown sources\", and look at \
                 docs/quest.md#when-something-is-wrong"
            );
        }
        std::thread::sleep(Duration::from_millis(300));
    };
    println!("its log (Ctrl-C ends following, not the lesson):");
    let mut follow = adb(&["logcat", "-v", "time", "--pid", &process])
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start adb")?;
    if let Some(log) = follow.stdout.take() {
        for line in BufReader::new(log).lines() {
            let line = line?;
            if is_ours(&line) {
                println!("{line}");
            }
        }
    }
    follow.wait()?;
    Ok(())
}

/// The headset to take, from `adb devices -l`.
fn choose(devices: &str, wanted: Option<&str>) -> Result<String> {
    let states: Vec<(&str, &str)> = devices
        .lines()
        .skip_while(|line| !line.starts_with("List of devices"))
        .skip(1)
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            Some((words.next()?, words.next()?))
        })
        .filter(|(serial, _)| wanted.is_none_or(|wanted| *serial == wanted))
        .collect();
    match states.as_slice() {
        [(serial, "device")] => Ok((*serial).to_owned()),
        [(serial, "unauthorized")] => bail!(
            "{serial} is connected and does not trust this computer; put the headset on and accept \"Allow USB debugging\""
        ),
        // `SERIAL no permissions (user in plugdev group; are your udev rules wrong?)`.
        [(serial, "no")] => bail!(
            "{serial} is connected and this computer may not talk to it; on Debian and Ubuntu: sudo apt-get install \
             android-sdk-platform-tools-common, then unplug it and plug it in again"
        ),
        [(serial, state)] => {
            bail!("{serial} is {state}; unplug it, wake it up and plug it in again")
        }
        [] => bail!(
            "no headset is connected{}; plug it in, switch developer mode on (docs/quest.md#developer-mode) and try `adb devices`",
            wanted
                .map(|serial| format!(" as ANDROID_SERIAL={serial}"))
                .unwrap_or_default()
        ),
        several => bail!(
            "several devices are connected; name one in ANDROID_SERIAL: {}",
            several
                .iter()
                .map(|(serial, _)| *serial)
                .collect::<Vec<_>>()
                .join(", ")
        ),
    }
}

/// Why the headset refused a package, with the cure.
fn refusal(told: &str) -> String {
    let cure = if told.contains("INSTALL_FAILED_UPDATE_INCOMPATIBLE") {
        "the one that is there was signed with another key; sign with that key (--keystore), or take it away, WITH ITS \
         LEARNING RECORDS: adb uninstall org.mallocvr.app"
    } else if told.contains("INSTALL_FAILED_VERSION_DOWNGRADE") {
        "a newer one is there; build from a newer version"
    } else if told.contains("INSUFFICIENT_STORAGE") {
        "the headset is full; make room in Settings, Storage"
    } else if told.contains("INSTALL_FAILED_NO_MATCHING_ABIS")
        || told.contains("INSTALL_FAILED_OLDER_SDK")
    {
        "this is no headset that we serve: it must be arm64 with Android 10 or newer"
    } else {
        "docs/quest.md#when-something-is-wrong may know more"
    };
    format!("the headset refused the package: {cure}\n{}", told.trim())
}

/// Whether a line of the log is ours or about our end. Bevy names lines after the file they come from.
fn is_ours(line: &str) -> bool {
    const TAGS: [&str; 8] = [
        "event src/",
        "RustStdoutStderr",
        "malloc_vr",
        "OpenXR",
        "AndroidRuntime",
        "DEBUG",
        "libc",
        "linker",
    ];
    // `11-21 13:00:00.000 I/TAG( 1234): text`
    let Some((_, rest)) = line.split_once('/') else {
        return false;
    };
    let level = line.split('/').next().and_then(|head| head.chars().last());
    TAGS.iter().any(|tag| rest.starts_with(tag))
        || matches!(level, Some('E' | 'F')) && rest.starts_with("event ")
}

fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .context("cannot start adb")?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "* daemon started\nList of devices attached\n";

    #[test]
    fn the_one_headset_is_taken_and_anything_else_is_explained() {
        let told = |lines: &str| choose(&format!("{HEAD}{lines}\n"), None);
        assert_eq!(
            told("1WMHH 	 device product:eureka model:Quest_3").unwrap(),
            "1WMHH"
        );
        let unauthorized = told("1WMHH\tunauthorized usb:1").unwrap_err().to_string();
        assert!(
            unauthorized.contains("Allow USB debugging"),
            "{unauthorized}"
        );
        let denied = told("1WMHH\tno permissions (missing udev rules?); see [http://x]");
        assert!(denied.unwrap_err().to_string().contains("apt-get install"));
        assert!(told("").unwrap_err().to_string().contains("developer mode"));
        let two = "A device\nB device";
        assert!(
            told(two)
                .unwrap_err()
                .to_string()
                .contains("ANDROID_SERIAL")
        );
        assert_eq!(choose(&format!("{HEAD}{two}\n"), Some("B")).unwrap(), "B");
    }

    #[test]
    fn a_key_that_differs_is_told_with_what_the_cure_costs() {
        let text = refusal(
            "adb: failed to install: Failure [INSTALL_FAILED_UPDATE_INCOMPATIBLE: signatures do not match]",
        );
        assert!(
            text.contains("LEARNING RECORDS") && text.contains("--keystore"),
            "{text}"
        );
    }

    #[test]
    fn only_our_lines_and_our_end_are_shown() {
        assert!(is_ours(
            "11-21 13:00:00.000 I/event src/xr/session.rs:210( 4711): headset: Focused"
        ));
        assert!(is_ours(
            "11-21 13:00:00.000 I/RustStdoutStderr( 4711): lesson: First steps"
        ));
        assert!(is_ours(
            "11-21 13:00:00.000 E/AndroidRuntime( 4711): FATAL EXCEPTION: main"
        ));
        assert!(!is_ours("11-21 13:00:00.000 D/VrApi( 4711): FPS=72"));
        assert!(!is_ours("--------- beginning of main"));
    }
}
