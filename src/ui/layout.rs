//! Where things are on a panel, and how large letters must be: pure geometry, the same for drawing and for pointing.

use bevy::prelude::*;

use crate::lesson::choices::{HEAD, columns_and_rows};

/// Pixels of a panel's picture for each metre: at 1.5 m, 26 for each degree of the eye, a little more than a Quest 3 shows.
pub const PIXELS_PER_METRE: f32 = 1000.0;
/// Smallest height of letters (em) that reads comfortably, radians: 1.5 degrees.
pub const TEXT_ANGLE: f32 = 0.026_18;
/// Distance at which panels are read, metres.
pub const READING_DISTANCE: f32 = 1.5;

/// Height of body text on a panel, pixels.
#[must_use]
pub fn body_text() -> f32 {
    // 1.5 degrees at 1.5 m are 39 mm.
    (TEXT_ANGLE.tan() * READING_DISTANCE * PIXELS_PER_METRE).ceil() + 1.0
}

/// Angle that letters of `pixels` height take at `distance` metres, radians.
#[must_use]
pub fn text_angle(pixels: f32, distance: f32) -> f32 {
    (pixels / PIXELS_PER_METRE / distance).atan()
}

/// Share of the height between two choices, and below the last.
const GAP: f32 = 0.03;
/// Share of the width left and right of them.
const SIDE: f32 = 0.06;

/// The rectangle of choice `index` of `count`, in 0..1 from the upper left corner.
#[must_use]
pub fn choice_rect(index: usize, count: usize) -> Rect {
    let (columns, rows) = columns_and_rows(count);
    let (column, row) = ((index / rows) as f32, (index % rows) as f32);
    let (columns, rows) = (columns as f32, rows as f32);
    let height = (1.0 - HEAD - GAP * (rows + 1.0)) / rows;
    let width = (1.0 - 2.0 * SIDE - GAP * (columns - 1.0)) / columns;
    let top = HEAD + GAP + row * (height + GAP);
    let left = SIDE + column * (width + GAP);
    Rect::new(left, top, left + width, top + height)
}

/// The choice at a point, in 0..1 from the upper left corner.
#[must_use]
pub fn choice_at(uv: Vec2, count: usize) -> Option<usize> {
    (0..count).find(|index| choice_rect(*index, count).contains(uv))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn body_text_is_at_least_one_and_a_half_degrees_at_reading_distance() {
        assert!(text_angle(body_text(), READING_DISTANCE) >= 1.5_f32.to_radians());
    }

    proptest! {
        #[test]
        fn each_choice_is_found_at_its_middle_and_none_overlap(count in 1usize..=9, u in 0.0f32..1.0, v in 0.0f32..1.0) {
            for index in 0..count {
                prop_assert_eq!(choice_at(choice_rect(index, count).center(), count), Some(index));
            }
            let hits = (0..count).filter(|index| choice_rect(*index, count).contains(Vec2::new(u, v))).count();
            prop_assert!(hits <= 1);
            for index in 0..count {
                let Rect { min, max } = choice_rect(index, count);
                prop_assert!(min.min_element() >= 0.0 && max.max_element() <= 1.0);
            }
        }
    }
}
