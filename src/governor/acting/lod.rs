//! Acting on levels of detail: a scene's own coarser models come nearer.
//! In: [`CurrentQuality`]. Out: [`VisibilityRange`]s. Never: those of what [`MustStayLegible`].

use bevy::camera::visibility::VisibilityRange;
use bevy::prelude::*;

use super::legible::MustStayLegible;
use crate::governor::plugin::CurrentQuality;

pub(super) struct LodPlugin;

impl Plugin for LodPlugin {
    fn build(&self, app: &mut App) {
        app.add_systems(PostUpdate, (remember, bias).chain());
    }
}

/// A model's distances, as the scene had them.
#[derive(Component)]
struct AllDetail(VisibilityRange);

fn remember(
    mut commands: Commands,
    new: Query<(Entity, &VisibilityRange), (Without<AllDetail>, Without<MustStayLegible>)>,
) {
    for (model, range) in &new {
        commands.entity(model).insert(AllDetail(range.clone()));
    }
}

/// All distances of a model become shorter alike, so that one level still begins where the other ends.
fn bias(
    quality: Res<CurrentQuality>,
    mut last: Local<f32>,
    mut models: Query<(Ref<AllDetail>, &mut VisibilityRange), Without<MustStayLegible>>,
) {
    let bias = quality.0.detail.clamp(0.1, 1.0) as f32;
    let turned = (std::mem::replace(&mut *last, bias) - bias).abs() > 1e-4;
    for (all, mut range) in &mut models {
        if turned || all.is_added() {
            let shorter = |it: &std::ops::Range<f32>| it.start * bias..it.end * bias;
            range.set_if_neq(VisibilityRange {
                start_margin: shorter(&all.0.start_margin),
                end_margin: shorter(&all.0.end_margin),
                use_aabb: all.0.use_aabb,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::governor::acting::tests::{app, set};

    /// Which of two levels an eye at this distance sees, and how many triangles that is.
    fn triangles(app: &mut App, away: f32) -> u32 {
        let mut models = app.world_mut().query::<(&Name, &VisibilityRange)>();
        models
            .iter(app.world())
            .filter(|(_, range)| (range.start_margin.start..range.end_margin.end).contains(&away))
            .map(|(name, _)| name.as_str().parse::<u32>().unwrap())
            .sum()
    }

    #[test]
    fn coarser_models_are_drawn_nearer_with_less_detail_and_what_is_learnt_from_keeps_its_own() {
        let mut app = app(LodPlugin);
        for (triangles, range) in [(5_000, 0.0..10.0), (300, 10.0..50.0)] {
            app.world_mut().spawn((
                Name::new(triangles.to_string()),
                VisibilityRange::abrupt(range.start, range.end),
            ));
        }
        app.world_mut().spawn((
            Name::new("7"),
            MustStayLegible::default(),
            VisibilityRange::abrupt(0.0, 10.0),
        ));
        app.update();
        app.update();
        assert_eq!(triangles(&mut app, 6.0), 5_007);
        set(&mut app, |quality| quality.detail = 0.5);
        assert_eq!(triangles(&mut app, 6.0), 307);
        assert_eq!(triangles(&mut app, 30.0), 0, "further than is drawn now");
        set(&mut app, |quality| quality.detail = 1.0);
        assert_eq!(triangles(&mut app, 6.0), 5_007);
        assert_eq!(triangles(&mut app, 30.0), 300);
    }
}
