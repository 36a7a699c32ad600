//! The part of each eye's picture that nobody can see behind the lenses (`XR_KHR_visibility_mask`): asked for and told.
//! Not drawn with: see "Visibility mask" in `docs/governor.md`. Where the extension is missing, nothing is known.

use bevy::prelude::*;
use bevy_mod_openxr::resources::OxrViews;
use bevy_mod_openxr::session::OxrSession;
use bevy_mod_xr::session::{XrPreDestroySession, XrSessionCreated};
use openxr::sys;
use openxr::{Fovf, Vector2f, ViewConfigurationType};

/// Vertices and indices of a mask at most: those of today's headsets have some hundred.
const MOST: u32 = 65_536;

/// Which part of an eye's picture is never seen.
#[derive(Resource, Debug, Clone, Default, PartialEq)]
pub struct HiddenArea {
    /// Triangles of each eye's mask, at 1 m before the eye.
    triangles: [Vec<[Vec2; 3]>; 2],
    /// Share of each eye's picture, 0..1; `None`: not asked yet, or nobody says.
    pub share: Option<[f32; 2]>,
}

pub(super) struct MaskPlugin;

impl Plugin for MaskPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<HiddenArea>()
            .add_systems(XrSessionCreated, ask)
            .add_systems(XrPreDestroySession, |mut hidden: ResMut<HiddenArea>| {
                *hidden = HiddenArea::default();
            })
            .add_systems(Last, weigh.run_if(is_unweighed));
    }
}

fn ask(session: Option<Res<OxrSession>>, mut hidden: ResMut<HiddenArea>) {
    let Some(session) = session else { return };
    if session.instance().exts().khr_visibility_mask.is_none() {
        debug!("the runtime doesn't say what is hidden behind the lenses");
        return;
    }
    for (eye, triangles) in hidden.triangles.iter_mut().enumerate() {
        match mask(&session, eye as u32) {
            Ok(mask) => *triangles = mask,
            Err(code) => debug!("asking what eye {eye} cannot see: {code:?}"),
        }
    }
}

/// What an eye cannot see, as triangles on a plane 1 m before it. Empty where it sees everything.
fn mask(session: &OxrSession, eye: u32) -> openxr::Result<Vec<[Vec2; 3]>> {
    let Some(calls) = session.instance().exts().khr_visibility_mask else {
        return Ok(Vec::new());
    };
    let mut mask = sys::VisibilityMaskKHR {
        ty: sys::VisibilityMaskKHR::TYPE,
        next: std::ptr::null_mut(),
        vertex_capacity_input: 0,
        vertex_count_output: 0,
        vertices: std::ptr::null_mut(),
        index_capacity_input: 0,
        index_count_output: 0,
        indices: std::ptr::null_mut(),
    };
    let call = |mask: &mut sys::VisibilityMaskKHR| {
        // SAFETY: the function is this instance's; the arrays that the structure names are as large as it says.
        let code = unsafe {
            (calls.get_visibility_mask)(
                session.as_raw(),
                ViewConfigurationType::PRIMARY_STEREO,
                eye,
                sys::VisibilityMaskTypeKHR::HIDDEN_TRIANGLE_MESH,
                mask,
            )
        };
        if code == sys::Result::SUCCESS {
            Ok(())
        } else {
            Err(code)
        }
    };
    call(&mut mask)?;
    let (vertices, indices) = (mask.vertex_count_output, mask.index_count_output);
    if vertices == 0 || indices == 0 || vertices > MOST || indices > MOST {
        return Ok(Vec::new());
    }
    let mut places = vec![Vector2f::default(); vertices as usize];
    let mut order = vec![0_u32; indices as usize];
    (mask.vertex_capacity_input, mask.index_capacity_input) = (vertices, indices);
    (mask.vertices, mask.indices) = (places.as_mut_ptr(), order.as_mut_ptr());
    call(&mut mask)?;
    let place = |index: u32| {
        let place = places.get(index as usize)?;
        Some(Vec2::new(place.x, place.y))
    };
    let triangle = |corners: &[u32]| match corners {
        [a, b, c] => Some([place(*a)?, place(*b)?, place(*c)?]),
        _ => None,
    };
    Ok(order.chunks_exact(3).filter_map(triangle).collect())
}

fn is_unweighed(hidden: Res<HiddenArea>, views: Option<Res<OxrViews>>) -> bool {
    let asked = hidden.triangles.iter().any(|it| !it.is_empty());
    asked && hidden.share.is_none() && views.is_some_and(|it| it.len() == 2)
}

fn weigh(views: Res<OxrViews>, mut hidden: ResMut<HiddenArea>) {
    let share = |eye: usize| {
        let view = views.get(eye)?;
        Some(share(hidden.triangles.get(eye)?, view.fov))
    };
    let (Some(left), Some(right)) = (share(0), share(1)) else {
        return;
    };
    hidden.share = Some([left, right]);
    info!(
        "behind the lenses lie {:.1} % and {:.1} % of the eyes' pictures",
        100.0 * left,
        100.0 * right
    );
}

/// The share of a picture with this field of view that the triangles cover, 0..1; they don't overlap.
fn share(triangles: &[[Vec2; 3]], fov: Fovf) -> f32 {
    let covered: f32 = triangles
        .iter()
        .map(|[a, b, c]| 0.5 * (b - a).perp_dot(c - a).abs())
        .sum();
    let across = fov.angle_right.tan() - fov.angle_left.tan();
    let up = fov.angle_up.tan() - fov.angle_down.tan();
    let all = across * up;
    if all > 0.0 && covered.is_finite() {
        (covered / all).clamp(0.0, 1.0)
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use std::f32::consts::FRAC_PI_4;

    use super::*;

    #[test]
    fn a_corner_cut_off_is_an_eighth_of_a_picture_whose_half_width_it_spans() {
        // 45 degrees to each side: two metres at one.
        let fov = Fovf {
            angle_left: -FRAC_PI_4,
            angle_right: FRAC_PI_4,
            angle_up: FRAC_PI_4,
            angle_down: -FRAC_PI_4,
        };
        let corner = [
            Vec2::new(-1.0, 1.0),
            Vec2::new(0.0, 1.0),
            Vec2::new(-1.0, 0.0),
        ];
        assert!((share(&[corner], fov) - 0.125).abs() < 1e-6);
        assert!(share(&[], fov).abs() < 1e-9);
        assert!(share(&[corner], Fovf::default()).abs() < 1e-9);
        let endless = [Vec2::splat(f32::INFINITY), Vec2::ZERO, Vec2::ONE];
        assert!(share(&[endless], fov).abs() < 1e-9);
    }
}
