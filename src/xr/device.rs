//! What the runtime lets an application turn on the headset itself: refresh rate, power levels; and what it says of heat.
//! Each behind its probe: where the extension is missing, the offer is empty and a wish does nothing.

use bevy::prelude::*;
use bevy_mod_openxr::session::OxrSession;
use bevy_mod_xr::session::{XrPreDestroySession, XrSessionCreated};
use openxr::{
    PerfSettingsDomainEXT as Domain, PerfSettingsLevelEXT as Level,
    PerfSettingsNotificationLevelEXT as Notification, PerfSettingsSubDomainEXT as SubDomain,
};
use tracing::{debug, info, warn};

use super::clock::FrameClock;

/// What the runtime offers. Empty without a session.
#[derive(Resource, Debug, Clone, Default, PartialEq)]
pub struct DeviceOffer {
    /// Refresh rates of the display, hertz, ascending (`XR_FB_display_refresh_rate`).
    pub refresh_rates: Vec<f32>,
    /// Whether power levels can be asked for (`XR_EXT_performance_settings`).
    pub power: bool,
}

/// What is wished for; done in the frame after it changed. `None`: left to the runtime.
#[derive(Resource, Debug, Clone, Copy, Default, PartialEq)]
pub struct DeviceWish {
    /// One of the offered refresh rates, hertz.
    pub refresh_rate: Option<f32>,
    /// Power of CPU and GPU.
    pub power: Option<Power>,
}

/// How much power CPU and GPU take, as far as heat allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Power {
    /// For as long as there is battery, at less than full speed.
    SustainedLow,
    /// As fast as can be kept up.
    SustainedHigh,
}

/// What the runtime said last about heat, of CPU and GPU the worse.
#[derive(Resource, Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeviceHeat {
    /// Nothing to worry about, or nobody says.
    #[default]
    Normal,
    /// It may soon have to slow down.
    Warning,
    /// It slows down.
    Impaired,
}

/// Heat by domain.
#[derive(Resource, Debug, Default)]
pub(super) struct Heard {
    cpu: DeviceHeat,
    gpu: DeviceHeat,
}

impl Heard {
    /// Takes in a notification; what isn't about heat is left out.
    pub fn take(&mut self, domain: Domain, sub: SubDomain, level: Notification) {
        if sub != SubDomain::THERMAL {
            return;
        }
        let heat = match level {
            Notification::NORMAL => DeviceHeat::Normal,
            Notification::WARNING => DeviceHeat::Warning,
            Notification::IMPAIRED => DeviceHeat::Impaired,
            _ => return,
        };
        match domain {
            Domain::CPU => self.cpu = heat,
            Domain::GPU => self.gpu = heat,
            _ => {}
        }
    }

    fn worst(&self) -> DeviceHeat {
        self.cpu.max(self.gpu)
    }
}

pub(super) struct DevicePlugin;

impl Plugin for DevicePlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<DeviceOffer>()
            .init_resource::<DeviceWish>()
            .init_resource::<DeviceHeat>()
            .init_resource::<Heard>()
            .add_systems(XrSessionCreated, probe)
            .add_systems(XrPreDestroySession, forget)
            .add_systems(
                First,
                (
                    wish.run_if(
                        resource_changed::<DeviceWish>.or_eager(resource_changed::<DeviceOffer>),
                    ),
                    tell_heat.run_if(resource_changed::<Heard>),
                ),
            );
    }
}

fn probe(
    session: Option<Res<OxrSession>>,
    mut offer: ResMut<DeviceOffer>,
    mut clock: ResMut<FrameClock>,
) {
    let Some(session) = session else { return };
    let extensions = session.instance().exts();
    let mut rates = Vec::new();
    // The call would panic where the extension isn't loaded.
    if extensions.fb_display_refresh_rate.is_some() {
        match session.enumerate_display_refresh_rates() {
            Ok(offered) => rates = offered,
            Err(code) => debug!("asking for refresh rates: {code:?}"),
        }
        clock.display_runs_at(session.get_display_refresh_rate().ok());
    }
    rates.retain(|rate| rate.is_finite() && *rate > 0.0);
    rates.sort_by(f32::total_cmp);
    offer.set_if_neq(DeviceOffer {
        refresh_rates: rates,
        power: extensions.ext_performance_settings.is_some(),
    });
    info!(
        "the headset lets us choose: refresh rates {:?}, power levels {}",
        offer.refresh_rates,
        if offer.power { "yes" } else { "no" }
    );
}

fn forget(mut offer: ResMut<DeviceOffer>, mut heard: ResMut<Heard>, mut clock: ResMut<FrameClock>) {
    clock.display_runs_at(None);
    offer.set_if_neq(DeviceOffer::default());
    *heard = Heard::default();
}

fn wish(session: Option<Res<OxrSession>>, offer: Res<DeviceOffer>, wish: Res<DeviceWish>) {
    let Some(session) = session else { return };
    if let Some(rate) = wish.refresh_rate
        && offer
            .refresh_rates
            .iter()
            .any(|it| (it - rate).abs() < 1e-3)
        && let Err(code) = session.request_display_refresh_rate(rate)
    {
        warn!("the headset refuses {rate} Hz: {code:?}");
    }
    let (Some(power), true) = (wish.power, offer.power) else {
        return;
    };
    let Some(settings) = session.instance().exts().ext_performance_settings else {
        return;
    };
    let level = match power {
        Power::SustainedLow => Level::SUSTAINED_LOW,
        Power::SustainedHigh => Level::SUSTAINED_HIGH,
    };
    for domain in [Domain::CPU, Domain::GPU] {
        // SAFETY: the function was loaded from the instance of this session, which lives as long as we hold it.
        let code = unsafe {
            (settings.perf_settings_set_performance_level)(session.as_raw(), domain, level)
        };
        if code != openxr::sys::Result::SUCCESS {
            warn!("the headset refuses the power level {power:?}: {code:?}");
        }
    }
}

fn tell_heat(heard: Res<Heard>, mut heat: ResMut<DeviceHeat>) {
    if heat.set_if_neq(heard.worst()) {
        info!("heat: {:?}", *heat);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heat_is_the_worse_of_the_two_and_other_news_are_none() {
        let mut heard = Heard::default();
        heard.take(Domain::GPU, SubDomain::THERMAL, Notification::WARNING);
        heard.take(Domain::CPU, SubDomain::RENDERING, Notification::IMPAIRED);
        assert_eq!(heard.worst(), DeviceHeat::Warning);
        heard.take(Domain::CPU, SubDomain::THERMAL, Notification::IMPAIRED);
        assert_eq!(heard.worst(), DeviceHeat::Impaired);
        heard.take(Domain::CPU, SubDomain::THERMAL, Notification::NORMAL);
        heard.take(Domain::GPU, SubDomain::THERMAL, Notification::NORMAL);
        assert_eq!(heard.worst(), DeviceHeat::Normal);
        heard.take(
            Domain::GPU,
            SubDomain::THERMAL,
            Notification::from_raw(4711),
        );
        assert_eq!(heard.worst(), DeviceHeat::Normal);
    }
}
