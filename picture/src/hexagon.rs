//! Cells of a honeycomb. They point upwards.

/// Half of a cell's width, for a cell whose corners are 1 from its middle.
pub const HALF_WIDTH: f64 = 0.866_025_403_784_438_6;

/// Corners of a cell around a middle, `radius` from it.
pub fn corners((x, y): (f64, f64), radius: f64) -> [(f64, f64); 6] {
    let (w, h) = (HALF_WIDTH * radius, radius / 2.0);
    [
        (x, y - radius),
        (x + w, y - h),
        (x + w, y + h),
        (x, y + radius),
        (x - w, y + h),
        (x - w, y - h),
    ]
}
