//! Charts, as SVG texts.
//!
//! Only SVG: bitmaps would need fonts of the system.

use std::ops::Range;

use plotters::chart::{ChartContext, SeriesLabelPosition};
use plotters::coord::Shift;
use plotters::coord::ranged1d::ValueFormatter;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;

mod ticks;

use ticks::{range, short, sparse};

/// Pixels.
const SIZE: (u32, u32) = (800, 480);
/// Told apart by the colour-blind too (Okabe and Ito).
const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(80, 80, 80),
];
const FONT: &str = "sans-serif";

/// What goes wrong while a chart is drawn.
pub type ChartError = DrawingAreaErrorKind<std::io::Error>;

/// A chart's words and scale.
#[derive(Clone, Copy, Debug)]
pub struct Labels<'a> {
    /// Above it.
    pub title: &'a str,
    /// Below the horizontal axis, with its unit.
    pub x: &'a str,
    /// Beside the vertical axis, with its unit.
    pub y: &'a str,
    /// The horizontal axis is logarithmic; only points with x > 0 are drawn.
    pub logarithmic_x: bool,
}

/// A line, or a row of dots.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// What the legend says.
    pub name: String,
    /// In the order of x.
    pub points: Vec<(f64, f64)>,
    /// x, and the lower and upper end of what is likely there: drawn lightly behind a line,
    /// as an error bar at a dot. May be empty, and may have other x than the points.
    pub band: Vec<(f64, f64, f64)>,
}

/// Points joined by lines, with light bands behind.
pub fn line_chart(
    title: &str,
    x_label: &str,
    y_label: &str,
    series: &[Series],
) -> Result<String, ChartError> {
    let labels = Labels {
        title,
        x: x_label,
        y: y_label,
        logarithmic_x: false,
    };
    chart(labels, series, Kind::Lines)
}

/// As [`line_chart`], with a logarithmic horizontal axis.
pub fn log_line_chart(
    title: &str,
    x_label: &str,
    y_label: &str,
    series: &[Series],
) -> Result<String, ChartError> {
    let labels = Labels {
        title,
        x: x_label,
        y: y_label,
        logarithmic_x: true,
    };
    chart(labels, series, Kind::Lines)
}

/// Dots with error bars (their series' `band`), joined by thin lines.
pub fn dot_chart(labels: Labels<'_>, series: &[Series]) -> Result<String, ChartError> {
    chart(labels, series, Kind::Dots)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Lines,
    Dots,
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Chart<'a, 'b, X> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<X, RangedCoordf64>>;

fn chart(labels: Labels<'_>, series: &[Series], kind: Kind) -> Result<String, ChartError> {
    let series: Vec<Series> = series
        .iter()
        .map(|series| drawable(series, labels))
        .collect();
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        let ends = |series: &Series| -> Vec<f64> {
            let band = series.band.iter().flat_map(|(_, low, high)| [*low, *high]);
            series
                .points
                .iter()
                .map(|point| point.1)
                .chain(band)
                .collect()
        };
        let xs: Vec<f64> = series
            .iter()
            .flat_map(|s| {
                s.points
                    .iter()
                    .map(|p| p.0)
                    .chain(s.band.iter().map(|b| b.0))
            })
            .collect();
        let ys: Vec<f64> = series.iter().flat_map(ends).collect();
        let y = with_legend(range(&ys, true), &series, kind);
        if labels.logarithmic_x {
            let x = ticks::decades(&xs);
            let mut chart = builder(&area, labels).build_cartesian_2d(x.log_scale(), y)?;
            paint(&mut chart, labels, &series, kind)?;
        } else {
            let x = range(&xs, kind == Kind::Lines);
            let mut chart = builder(&area, labels).build_cartesian_2d(x, y)?;
            paint(&mut chart, labels, &series, kind)?;
        }
        area.present()?;
    }
    Ok(svg)
}

/// Without what has no place on the axes.
fn drawable(series: &Series, labels: Labels<'_>) -> Series {
    let has_place = |x: f64| x.is_finite() && (x > 0.0 || !labels.logarithmic_x);
    let mut series = series.clone();
    series
        .points
        .retain(|(x, y)| has_place(*x) && y.is_finite());
    series
        .band
        .retain(|(x, low, high)| has_place(*x) && low.is_finite() && high.is_finite());
    series
}

fn builder<'a, 'b>(area: &'a Area<'b>, labels: Labels<'_>) -> ChartBuilder<'a, 'b, SVGBackend<'b>> {
    let mut builder = ChartBuilder::on(area);
    builder
        .caption(labels.title, (FONT, 22))
        .margin(14)
        .margin_right(28)
        .x_label_area_size(52)
        .y_label_area_size(70);
    builder
}

fn paint<'a, 'b: 'a, X>(
    chart: &mut Chart<'a, 'b, X>,
    labels: Labels<'_>,
    series: &[Series],
    kind: Kind,
) -> Result<(), ChartError>
where
    X: Ranged<ValueType = f64> + ValueFormatter<f64>,
{
    chart
        .configure_mesh()
        .x_desc(labels.x)
        .y_desc(labels.y)
        .x_label_formatter(&|x| match labels.logarithmic_x {
            true => sparse(*x),
            false => short(*x),
        })
        .y_label_formatter(&|y| short(*y))
        .label_style((FONT, 15))
        .axis_desc_style((FONT, 17))
        .bold_line_style(BLACK.mix(0.15))
        .light_line_style(TRANSPARENT)
        .draw()?;
    for (number, series) in series.iter().enumerate() {
        let colour = COLOURS[number % COLOURS.len()];
        let line =
            |width| LineSeries::new(series.points.iter().copied(), colour.stroke_width(width));
        let drawn = match kind {
            Kind::Lines => {
                let above = series.band.iter().map(|(x, _, high)| (*x, *high));
                let below = series.band.iter().rev().map(|(x, low, _)| (*x, *low));
                if !series.band.is_empty() {
                    let outline: Vec<_> = above.chain(below).collect();
                    chart.draw_series([Polygon::new(outline, colour.mix(0.18))])?;
                }
                chart.draw_series(line(2))?
            }
            Kind::Dots => {
                chart.draw_series(line(1))?;
                let middle = |(x, low, high): &(f64, f64, f64)| {
                    let point = series.points.iter().find(|point| point.0 == *x);
                    let mean = point.map_or((low + high) / 2.0, |point| point.1);
                    ErrorBar::new_vertical(*x, *low, mean, *high, colour.filled(), 8)
                };
                chart.draw_series(series.band.iter().map(middle))?;
                let dot = |point: &(f64, f64)| Circle::new(*point, 4, colour.filled());
                chart.draw_series(series.points.iter().map(dot))?
            }
        };
        drawn.label(&series.name).legend(move |(x, y)| {
            PathElement::new(vec![(x, y), (x + 18, y)], colour.stroke_width(3))
        });
    }
    if series.iter().any(|series| !series.name.is_empty()) {
        chart
            .configure_series_labels()
            .position(legend_place(series, kind))
            .label_font((FONT, 15))
            .background_style(WHITE.mix(0.85))
            .border_style(BLACK.mix(0.2))
            .draw()?;
    }
    Ok(())
}

/// Room for the legend above what is drawn, unless it stands below a curve.
fn with_legend(y: Range<f64>, series: &[Series], kind: Kind) -> Range<f64> {
    let below = matches!(legend_place(series, kind), SeriesLabelPosition::LowerRight);
    let named = series.iter().filter(|series| !series.name.is_empty());
    let lines = named.count();
    if below || lines == 0 {
        return y;
    }
    // In pixels: the legend with its margins, and what the axes leave of the picture.
    let share = (20 * lines + 20) as f64 / f64::from(SIZE.1 - 110);
    let room = (y.end - y.start) * share / (1.0 - share.min(0.8));
    y.start..y.end + room
}

/// Where the lines leave room: a curve that rises from nothing leaves the lower right.
fn legend_place(series: &[Series], kind: Kind) -> SeriesLabelPosition {
    let rises = |series: &Series| match (series.points.first(), series.points.last()) {
        (Some(first), Some(last)) => last.1 > first.1,
        _ => false,
    };
    match kind {
        Kind::Lines if series.iter().all(rises) => SeriesLabelPosition::LowerRight,
        _ if series.iter().all(rises) => SeriesLabelPosition::UpperLeft,
        _ => SeriesLabelPosition::UpperRight,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(name: &str) -> Series {
        Series {
            name: name.to_owned(),
            points: vec![(1.0, 0.0), (10.0, 0.5), (100.0, 1.0)],
            band: vec![(1.0, 0.0, 0.1), (100.0, 0.9, 1.0)],
        }
    }

    #[test]
    fn a_chart_has_its_words_and_one_colour_for_each_series() {
        let svg = line_chart("Title", "time (s)", "share", &[series("a<b"), series("c")]).unwrap();
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
        for part in [
            "Title", "time (s)", "share", "a&lt;b", "#0072B2", "#D55E00", "<polygon",
        ] {
            assert!(svg.contains(part), "{part} is missing");
        }
    }

    #[test]
    fn a_logarithmic_axis_leaves_out_what_has_no_logarithm() {
        let mut with_zero = series("a");
        with_zero.points.insert(0, (0.0, 0.0));
        let svg = |series| log_line_chart("t", "x", "y", &[series]).unwrap();
        assert_eq!(svg(with_zero), svg(series("a")));
        let labels = Labels {
            title: "t",
            x: "x",
            y: "y",
            logarithmic_x: true,
        };
        let dots = dot_chart(labels, &[series("a")]).unwrap();
        assert!(dots.matches("<circle").count() >= 3, "{dots}");
    }

    #[test]
    fn nothing_to_draw_is_an_empty_chart() {
        for points in [vec![], vec![(1.0, f64::NAN)], vec![(3.0, 3.0)]] {
            let series = Series {
                points,
                ..Series::default()
            };
            assert!(line_chart("t", "x", "y", std::slice::from_ref(&series)).is_ok());
            assert!(log_line_chart("t", "x", "y", &[series]).is_ok());
        }
    }
}
