//! The runtime's own performance counters (`XR_META_performance_metrics`), once a second: to be shown and logged. The
//! specification forbids to steer by them, and nothing here does. Where the extension is missing there are none.

use bevy::prelude::*;
use bevy_mod_openxr::session::OxrSession;
use bevy_mod_xr::session::{XrPreDestroySession, XrSessionCreated};
use openxr::sys::{self, PerformanceMetricsCounterFlagsMETA as Flags};
use openxr::{Path, sys::PerformanceMetricsCounterUnitMETA as Unit};

/// Seconds between two looks.
const EVERY: f64 = 1.0;
/// Looks between two lines in the log.
const LOGGED: u32 = 60;
/// Counters at most: those of today's runtimes are a dozen.
const MOST: u32 = 64;

/// The runtime's counters, by name. Empty where it offers none.
#[derive(Resource, Debug, Clone, Default, PartialEq)]
pub struct RuntimeCounters(pub Vec<RuntimeCounter>);

/// One of them.
#[derive(Debug, Clone, PartialEq)]
pub struct RuntimeCounter {
    path: Path,
    /// As the runtime names it: `/perfmetrics_meta/app/gpu_frametime`.
    pub name: String,
    /// What it counts in: `ms`, `%`, `bytes`, `Hz`, or nothing.
    pub unit: &'static str,
    /// What it said last; `None`: nothing yet, or nothing valid.
    pub value: Option<f64>,
}

pub(super) struct MetricsPlugin;

impl Plugin for MetricsPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<RuntimeCounters>()
            .add_systems(XrSessionCreated, begin)
            .add_systems(
                XrPreDestroySession,
                |mut counters: ResMut<RuntimeCounters>| {
                    counters.0.clear();
                },
            )
            .add_systems(
                Last,
                read.run_if(|counters: Res<RuntimeCounters>| !counters.0.is_empty()),
            );
    }
}

fn begin(session: Option<Res<OxrSession>>, mut counters: ResMut<RuntimeCounters>) {
    counters.0.clear();
    let Some(session) = session else { return };
    let Some(calls) = session.instance().exts().meta_performance_metrics else {
        debug!("the runtime has no performance counters");
        return;
    };
    let mut paths = [Path::NULL; MOST as usize];
    let mut count = 0;
    // SAFETY: the function is this instance's, and the array has as many places as it is told.
    let code = unsafe {
        (calls.enumerate_performance_metrics_counter_paths)(
            session.instance().as_raw(),
            MOST,
            &raw mut count,
            paths.as_mut_ptr(),
        )
    };
    let on = sys::PerformanceMetricsStateMETA {
        ty: sys::PerformanceMetricsStateMETA::TYPE,
        next: std::ptr::null(),
        enabled: true.into(),
    };
    let listed = code == sys::Result::SUCCESS;
    // SAFETY: as above; the structure is whole.
    let counts = listed
        && unsafe { (calls.set_performance_metrics_state)(session.as_raw(), &raw const on) }
            == sys::Result::SUCCESS;
    if !counts {
        debug!("the runtime's performance counters stay off: {code:?}");
        return;
    }
    let named = paths.iter().take(count as usize).filter_map(|path| {
        let name = session.instance().path_to_string(*path).ok()?;
        Some(RuntimeCounter {
            path: *path,
            name,
            unit: "",
            value: None,
        })
    });
    counters.0.extend(named);
    info!("the runtime has {} performance counters", counters.0.len());
}

fn read(
    time: Res<Time<Real>>,
    session: Option<Res<OxrSession>>,
    mut next: Local<f64>,
    mut looks: Local<u32>,
    mut counters: ResMut<RuntimeCounters>,
) {
    let now = time.elapsed_secs_f64();
    let Some(session) = session.filter(|_| now >= *next) else {
        return;
    };
    *next = now + EVERY;
    let Some(calls) = session.instance().exts().meta_performance_metrics else {
        return;
    };
    for counter in &mut counters.0 {
        let mut answer = sys::PerformanceMetricsCounterMETA {
            ty: sys::PerformanceMetricsCounterMETA::TYPE,
            next: std::ptr::null(),
            counter_flags: Flags::EMPTY,
            counter_unit: Unit::GENERIC,
            uint_value: 0,
            float_value: 0.0,
        };
        // SAFETY: the function is this instance's, the structure is whole.
        let code = unsafe {
            (calls.query_performance_metrics_counter)(
                session.as_raw(),
                counter.path,
                &raw mut answer,
            )
        };
        counter.unit = unit(answer.counter_unit);
        counter.value = (code == sys::Result::SUCCESS)
            .then(|| value(&answer))
            .flatten();
    }
    *looks += 1;
    if *looks % LOGGED == 1 {
        for counter in &counters.0 {
            info!(
                name = counter.name,
                value = counter.value,
                unit = counter.unit,
                "runtime's counter"
            );
        }
    }
}

fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::PERCENTAGE => "%",
        Unit::MILLISECONDS => "ms",
        Unit::BYTES => "bytes",
        Unit::HERTZ => "Hz",
        _ => "",
    }
}

fn value(counter: &sys::PerformanceMetricsCounterMETA) -> Option<f64> {
    let flags = counter.counter_flags;
    let float = f64::from(counter.float_value);
    if flags.contains(Flags::FLOAT_VALUE_VALID) {
        float.is_finite().then_some(float)
    } else {
        flags
            .contains(Flags::UINT_VALUE_VALID)
            .then(|| f64::from(counter.uint_value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_said_to_be_valid_is_a_value() {
        let counter = |flags, float_value| sys::PerformanceMetricsCounterMETA {
            ty: sys::PerformanceMetricsCounterMETA::TYPE,
            next: std::ptr::null(),
            counter_flags: flags,
            counter_unit: Unit::MILLISECONDS,
            uint_value: 7,
            float_value,
        };
        assert_eq!(value(&counter(Flags::EMPTY, 3.5)), None);
        assert_eq!(value(&counter(Flags::FLOAT_VALUE_VALID, 3.5)), Some(3.5));
        assert_eq!(value(&counter(Flags::FLOAT_VALUE_VALID, f32::NAN)), None);
        assert_eq!(
            value(&counter(Flags::UINT_VALUE_VALID, f32::NAN)),
            Some(7.0)
        );
        assert_eq!(unit(Unit::from_raw(4711)), "");
    }
}
