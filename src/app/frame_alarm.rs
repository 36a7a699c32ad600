//! Whoever teaches is told when a headset's frames are at emergency, and when that is over.
//! In: [`CurrentLevel`]. Out: [`FrameAlarm`], which the bridge makes an alert of. Never: an alarm for a moment.

use bevy::prelude::*;

use crate::governor::actuators::Level;
use crate::governor::plugin::CurrentLevel;
use crate::session::frames::FrameAlarm;

/// Seconds at emergency before anybody is told: a moment of it is nothing to look at.
const AFTER: f64 = 2.0;
/// Seconds without before it is over: an alarm that comes and goes tells nobody anything.
const CALM: f64 = 10.0;

pub(super) struct FrameAlarmPlugin;

impl Plugin for FrameAlarmPlugin {
    fn build(&self, app: &mut App) {
        app.add_message::<FrameAlarm>()
            .add_systems(Last, watch.run_if(resource_exists::<CurrentLevel>));
    }
}

fn watch(
    time: Res<Time<Real>>,
    level: Res<CurrentLevel>,
    mut state: Local<Watch>,
    mut alarms: MessageWriter<FrameAlarm>,
) {
    let emergency = level.0 == Level::Emergency;
    if let Some(alarm) = state.see(time.elapsed_secs_f64(), emergency) {
        alarms.write(alarm);
    }
}

/// What was seen of it.
#[derive(Debug, Default)]
struct Watch {
    told: bool,
    /// Since when the level says something else than was told, seconds.
    other: Option<f64>,
}

impl Watch {
    fn see(&mut self, now: f64, emergency: bool) -> Option<FrameAlarm> {
        if emergency == self.told {
            self.other = None;
            return None;
        }
        let since = *self.other.get_or_insert(now);
        let long = if emergency { AFTER } else { CALM };
        if now - since < long {
            return None;
        }
        (self.told, self.other) = (emergency, None);
        Some(if emergency {
            FrameAlarm::Emergency
        } else {
            FrameAlarm::Over
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::{Duration, Instant};

    use bevy::time::TimeUpdateStrategy;
    use bevy::transform::TransformPlugin;
    use rmcp::model::ReadResourceRequestParams;
    use rmcp::service::RunningService;
    use rmcp::transport::StreamableHttpClientTransport;
    use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
    use rmcp::{RoleClient, ServiceExt};

    use super::*;
    use crate::app::play::add_rooms;
    use crate::app::view::View;
    use crate::bridge::{Bridge, BridgeConfig};
    use crate::lesson;

    #[test]
    fn an_emergency_that_lasts_is_told_once_and_its_end_once_and_a_moment_of_either_never() {
        let mut watch = Watch::default();
        let levels = [
            // A moment of it.
            (0.0, true),
            (1.9, true),
            (1.95, false),
            (5.0, true),
            (7.1, true),
            (9.0, true),
            // A moment without.
            (10.0, false),
            (19.0, false),
            (19.5, true),
            (20.0, false),
            (30.1, false),
            (60.0, false),
        ];
        let told: Vec<_> = levels
            .into_iter()
            .filter_map(|(now, emergency)| Some((now, watch.see(now, emergency)?)))
            .collect();
        assert_eq!(
            told,
            [(7.1, FrameAlarm::Emergency), (30.1, FrameAlarm::Over)]
        );
    }

    #[tokio::test]
    async fn an_emergency_that_lasts_is_an_alert_that_says_what_to_do() {
        const TOKEN: &str = "token-of-the-frame-alarm";
        let bridge = Bridge::start(BridgeConfig {
            listen: "127.0.0.1:0".parse().unwrap(),
            token: Some(TOKEN.to_owned()),
            ..BridgeConfig::default()
        })
        .unwrap();
        let uri = format!("http://{}/mcp", bridge.address());
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let frames = std::thread::spawn(move || {
            let lesson = lesson::load("first-steps").unwrap();
            let mut app = App::new();
            app.add_plugins((MinimalPlugins, TransformPlugin));
            add_rooms(&mut app, &lesson, View::Headless);
            let frame = TimeUpdateStrategy::ManualDuration(Duration::from_millis(50));
            app.add_plugins(FrameAlarmPlugin)
                .insert_resource(bridge)
                .insert_resource(frame)
                .insert_resource(CurrentLevel(Level::Emergency));
            while !stopped.load(Ordering::Relaxed) {
                app.update();
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        let config = StreamableHttpClientTransportConfig::with_uri(uri).auth_header(TOKEN);
        let transport = StreamableHttpClientTransport::from_config(config);
        let client: RunningService<RoleClient, ()> = ().serve(transport).await.unwrap();
        let deadline = Instant::now() + Duration::from_secs(60);
        let told = loop {
            let asked = ReadResourceRequestParams::new("ops://alerts");
            let read = client.read_resource(asked).await.unwrap();
            let text = serde_json::to_string(&read.contents).unwrap();
            if text.contains("frames_at_emergency") || Instant::now() > deadline {
                break text;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        stop.store(true, Ordering::Relaxed);
        frames.join().unwrap();
        assert!(told.contains("frames_at_emergency"), "{told}");
        assert!(told.contains("Let it cool"), "{told}");
    }
}
