//! Where the peers of one of them stand: around it, on as few rings as there is room for.

/// Cells of peers are at most and at least so large: from the middle to a corner, in CSS pixels.
const RADIUS: (f64, f64) = (30.0, 3.0);

/// Between the middles of two cells, in radii.
const APART: f64 = 2.3;

/// The cell in the middle, in radii of the others, and what it may be of the height.
const MIDDLE: (f64, f64) = (1.5, 0.14);

/// The innermost ring leaves so much of the way from the middle free, and at least so many radii
/// beside the cells, for the lines to be seen.
const FREE: (f64, f64) = (0.4, 1.0);

/// Outside of the cells at the edge, for the ring around one that is chosen. CSS pixels.
const EDGE: f64 = 4.0;

/// Between our cell and words beside it, and what lines keep away from these. CSS pixels.
const BESIDE: (f64, f64) = (8.0, 7.0);

/// One peer alone is so far from the middle, in heights, if the picture is broad enough.
const PAIR: f64 = 0.9;

/// A ring is drawn in so many straight lines, as far as places go.
const STEPS: usize = 180;

/// Cosine and sine of the angle between the ends of one: the functions would weigh more, in a
/// program, than all that is here.
const STEP: (f64, f64) = (0.999_390_827_019_095_8, 0.034_899_496_702_500_97);

/// Places for a number of peers in a rectangle.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rings {
    /// The middle of each peer's cell.
    pub places: Vec<(f64, f64)>,
    /// From a cell's middle to its corners.
    pub radius: f64,
    /// The middle of it all.
    pub middle: (f64, f64),
    /// Of the cell there.
    pub middle_radius: f64,
}

impl Rings {
    /// As large as they can be. A rectangle without room gives cells without extent.
    pub fn fit(peers: usize, width: f64, height: f64) -> Self {
        let mut middle = (width / 2.0, height / 2.0);
        let mut radius = RADIUS.0;
        let (rings, room) = loop {
            let rings = rings(width, height, radius);
            // As few of them as are needed, from the outermost.
            let mut room = 0;
            let needed = rings.into_iter().take_while(|ring| {
                let is_needed = room < peers;
                room += if is_needed { ring.room } else { 0 };
                is_needed
            });
            let rings: Vec<Ring> = needed.collect();
            if room >= peers || radius <= RADIUS.1 {
                break (rings, room);
            }
            radius -= 0.5;
        };
        let mut places = Vec::with_capacity(peers);
        let mut left = (peers, room);
        for (index, ring) in rings.iter().enumerate() {
            // Each ring gets what it has room for in comparison with the others.
            let here = match left.1 {
                0 => 0,
                room => (left.0 * ring.room).div_ceil(room),
            };
            left = (left.0 - here, left.1 - ring.room);
            let shift = match (here % 2, index % 2) {
                // From the top, so that the right half mirrors the left; even ones do anyway.
                (1, _) => here as f64 / 4.0,
                (_, 0) => 0.0,
                _ => 0.5,
            };
            let place = |number: usize| {
                let (x, y) = ring.at(((number as f64 + shift) / here as f64).fract());
                (middle.0 + x, middle.1 + y)
            };
            places.extend((0..here).map(place));
        }
        // There is always a place, however small the picture.
        places.resize(peers, middle);
        if let [place] = &mut places[..] {
            // Two are in the middle together.
            let apart = (width / 2.0 - radius).min(PAIR * height) / 2.0;
            *place = (middle.0 - apart, middle.1);
            middle.0 += apart;
        }
        Rings {
            places,
            radius,
            middle,
            middle_radius: middle_radius(height, radius),
        }
    }

    /// Where words of this size have their middle, from the middle of our cell: below it, or beside
    /// the line that goes down. Where lines are everywhere, below.
    pub fn words(&self, width: f64, height: f64) -> (f64, f64) {
        let aside = 2.0 * BESIDE.1 + width / 2.0;
        let below = (0.0, self.middle_radius + BESIDE.0 + height / 2.0);
        let (across, up) = (width / 2.0 + BESIDE.1, height / 2.0 + BESIDE.1);
        let is_crossed = |&(x, y): &(f64, f64)| {
            self.places.iter().any(|place| {
                let (dx, dy) = (place.0 - self.middle.0, place.1 - self.middle.1);
                // All corners are on one side of the line, or it goes the other way.
                let side = |(x, y): (f64, f64)| dx * y - dy * x > 0.0;
                let corners = [(1.0, 1.0), (1.0, -1.0), (-1.0, 1.0), (-1.0, -1.0)];
                let mut sides = corners
                    .map(|(a, b)| side((x + a * across, y + b * up)))
                    .into_iter();
                let first = sides.next();
                dx * x + dy * y > 0.0 && sides.any(|it| Some(it) != first)
            })
        };
        let places = [below, (aside, below.1), (-aside, below.1)];
        let free = places.into_iter().find(|place| !is_crossed(place));
        free.unwrap_or(below)
    }

    /// The peer whose cell is here.
    pub fn at(&self, x: f64, y: f64) -> Option<usize> {
        let far = |place: &(f64, f64)| distance(*place, (x, y));
        let places = self.places.iter().enumerate();
        let nearest = places.min_by(|(_, a), (_, b)| far(a).total_cmp(&far(b)))?;
        (far(nearest.1) <= self.radius).then_some(nearest.0)
    }
}

/// One ring: an ellipse around nothing.
struct Ring {
    /// How many cells have room on it.
    room: usize,
    /// Its points, from its left end, and its length up to each.
    points: Vec<((f64, f64), f64)>,
}

fn middle_radius(height: f64, radius: f64) -> f64 {
    (radius * MIDDLE.0).min(height * MIDDLE.1)
}

/// All rings that there is room for, from the outermost.
fn rings(width: f64, height: f64, radius: f64) -> Vec<Ring> {
    let (a, b) = (width / 2.0 - radius - EDGE, height / 2.0 - radius - EDGE);
    let cells = middle_radius(height, radius) + (1.0 + FREE.1) * radius;
    let least = cells.max(FREE.0 * a.min(b));
    let mut rings = Vec::new();
    let mut inwards = 0.0;
    while a.min(b) - inwards > least {
        rings.push(Ring::new(a - inwards, b - inwards, radius));
        inwards += APART * radius;
    }
    rings
}

impl Ring {
    fn new(a: f64, b: f64, radius: f64) -> Self {
        let (mut x, mut y) = (-1.0, 0.0);
        let mut points: Vec<((f64, f64), f64)> = Vec::with_capacity(STEPS + 1);
        for _ in 0..=STEPS {
            let point = (a * x, b * y);
            let before = points.last().copied().unwrap_or((point, 0.0));
            points.push((point, before.1 + distance(point, before.0)));
            (x, y) = (x * STEP.0 - y * STEP.1, x * STEP.1 + y * STEP.0);
        }
        let length = points[STEPS].1;
        Ring {
            room: (length / (APART * radius)) as usize,
            points,
        }
    }

    /// The point after this part of its length.
    fn at(&self, part: f64) -> (f64, f64) {
        let length = part * self.points[STEPS].1;
        let step = self.points.partition_point(|(_, until)| *until < length);
        let step = step.clamp(1, STEPS);
        let ((from, before), (to, after)) = (self.points[step - 1], self.points[step]);
        let within = (length - before) / (after - before).max(f64::MIN_POSITIVE);
        let along = |from: f64, to: f64| from + (to - from) * within;
        (along(from.0, to.0), along(from.1, to.1))
    }
}

/// Without the care for numbers near the end of their range that the library takes.
fn distance(a: (f64, f64), b: (f64, f64)) -> f64 {
    let (dx, dy) = (a.0 - b.0, a.1 - b.1);
    (dx * dx + dy * dy).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_has_a_place_of_their_own_inside_and_is_found_there() {
        for (width, height) in [(780.0, 380.0), (320.0, 280.0)] {
            for peers in [1, 2, 3, 7, 20, 50, 100, 200] {
                let rings = Rings::fit(peers, width, height);
                assert_eq!(rings.places.len(), peers);
                for (index, &(x, y)) in rings.places.iter().enumerate() {
                    let r = rings.radius - 1e-6;
                    assert!(x >= r && x <= width - r && y >= r && y <= height - r);
                    assert_eq!(rings.at(x + rings.radius / 4.0, y), Some(index));
                    let (mx, my) = rings.middle;
                    assert!((x - mx).hypot(y - my) > rings.radius + rings.middle_radius);
                    for &(ox, oy) in &rings.places[..index] {
                        let apart = (x - ox).hypot(y - oy);
                        assert!(apart > 1.7 * rings.radius, "{peers}: {apart}");
                    }
                }
                assert_eq!(rings.at(-50.0, 0.0), None);
            }
        }
    }

    #[test]
    fn no_line_crosses_the_words_beside_our_cell_while_peers_are_few() {
        let (width, height) = (64.0, 13.0);
        for (picture, most) in [((780.0, 380.0), 7), ((309.0, 309.0), 5)] {
            for peers in 0..=most {
                let rings = Rings::fit(peers, picture.0, picture.1);
                let (x, y) = rings.words(width, height);
                let middle = rings.middle;
                assert!(
                    middle.0 + x - width / 2.0 >= 0.0 && middle.0 + x + width / 2.0 <= picture.0
                );
                for place in &rings.places {
                    for step in 0..=100 {
                        let part = f64::from(step) / 100.0;
                        let at = (
                            (place.0 - middle.0) * part - x,
                            (place.1 - middle.1) * part - y,
                        );
                        let is_within = at.0.abs() < width / 2.0 && at.1.abs() < height / 2.0;
                        assert!(!is_within, "{peers} of {picture:?}: {place:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_left_and_right_of_the_middle_is_alike() {
        let (width, height) = (780.0, 380.0);
        for peers in 1..12 {
            let rings = Rings::fit(peers, width, height);
            let all = rings.places.iter().map(|place| place.0);
            let ends = all.clone().chain([rings.middle.0]);
            let left = ends.clone().fold(width, f64::min);
            let right = width - ends.fold(0.0, f64::max);
            assert!((left - right).abs() < 4.0, "{peers}: {left}, {right}");
            let mean = all.chain((peers == 1).then_some(rings.middle.0));
            let mean = mean.sum::<f64>() / peers.max(2) as f64;
            assert!((mean - width / 2.0).abs() < 4.0, "{peers}: {mean}");
        }
    }

    #[test]
    fn a_picture_without_room_has_its_peers_all_the_same() {
        for (width, height) in [(0.0, 0.0), (10.0, 300.0), (300.0, 5.0)] {
            assert_eq!(Rings::fit(9, width, height).places.len(), 9);
        }
        assert_eq!(Rings::fit(0, 300.0, 300.0).places, []);
    }
}
