//! The apk suite: how large the headset's package is, and what proving it costs.

use anyhow::Result;

use super::{Args, Missing, Suite, figure};
use crate::apk::{self, c_compilers};

/// Crates that want a C compiler; size of the package with `--release`; times from nothing with `--cold`.
///
/// # Errors
/// Where cargo cannot tell the tree of crates.
pub(super) fn measure(args: &Args) -> Result<Suite> {
    let profile = if args.release { "device" } else { "linkcheck" };
    let mut suite = Suite::new("apk", profile);
    let culprits = c_compilers::culprits()?.len();
    suite.figures.push(figure(
        "c_compilers_in_tree",
        "count",
        Some(0.0),
        "none",
        1,
        &[culprits as f64],
    ));
    let missing = |name: &'static str, why: &str| Missing {
        name: name.into(),
        why: why.to_owned(),
    };
    if apk::can_link_check().is_err() {
        for name in [
            "apk_mib",
            "library_mib",
            "check_seconds_cold",
            "linkcheck_seconds_cold",
        ] {
            suite.missing.push(missing(
                name,
                "it is measured with Debian 12's compilers, and this is another system",
            ));
        }
        return Ok(suite);
    }
    if args.release {
        let made = apk::link_check(true)?;
        for (name, file, goal) in [
            ("apk_mib", &made.apk, Some(apk::sizes::GOAL_MIB)),
            ("library_mib", &made.library, None),
        ] {
            suite
                .figures
                .push(figure(name, "MiB", goal, "none", 1, &[apk::mib(file)?]));
        }
    } else {
        for name in ["apk_mib", "library_mib"] {
            suite.missing.push(missing(
                name,
                "only the release build has a size worth telling: add --release",
            ));
        }
    }
    let cold = ["check_seconds_cold", "linkcheck_seconds_cold"];
    let times = if args.cold {
        apk::cold_times().map_err(|error| format!("{error:#}"))
    } else {
        Err(
            "measured from an empty build folder only, which takes half an hour: add --cold"
                .to_owned(),
        )
    };
    match times {
        Ok((check, link)) => {
            for (name, took) in cold.into_iter().zip([check, link]) {
                suite
                    .figures
                    .push(figure(name, "s", None, "none", 1, &[took.as_secs_f64()]));
            }
        }
        Err(why) => {
            for name in cold {
                suite.missing.push(missing(name, &why));
            }
        }
    }
    Ok(suite)
}
