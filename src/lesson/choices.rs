//! How choices stand on a panel: for the rules, which weigh whether words fit, and for whoever draws and points at them.

/// Share of a panel's height above its choices.
pub const HEAD: f32 = 0.36;
/// Choices that stand below each other; more stand in two columns, the left one first.
const COLUMN: usize = 6;

/// In how many columns and rows so many choices stand.
#[must_use]
pub fn columns_and_rows(count: usize) -> (usize, usize) {
    let columns = if count > COLUMN { 2 } else { 1 };
    (columns, count.max(1).div_ceil(columns))
}
