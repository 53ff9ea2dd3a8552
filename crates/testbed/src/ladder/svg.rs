//! Ladder diagrams as pictures.

use core::fmt::Write;

use super::{Row, Shape, Style, lines};

// All lengths are in user units (pixels at scale one), all of them whole numbers.
const MARGIN: usize = 24;
const TITLE: usize = 40;
const HEADING: usize = 32;
const ROW: usize = 34;
/// The advance of a character at the font sizes of the style sheet, rounded up.
const CHARACTER: usize = 8;
const TIME_CHARACTER: usize = 7;
/// The least distance of two lifelines.
const MIN_GAP: usize = 150;
/// How far from the lifeline an arrow ends that does not arrive.
const SHORT: usize = 28;

const STYLE: &str = "\
.page{fill:#fff}\
text{font-family:ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;font-size:13px;fill:#1f2933}\
.title{font-family:system-ui,'DejaVu Sans',Helvetica,Arial,sans-serif;font-size:18px;font-weight:600}\
.head rect{fill:#243b53}\
.head text{fill:#fff;font-weight:600;text-anchor:middle}\
.life{stroke:#cbd2d9;stroke-width:1.5}\
.time{font-size:11px;fill:#829ab1;text-anchor:end}\
.label{text-anchor:middle;stroke:#fff;stroke-width:5px;stroke-linejoin:round;paint-order:stroke}\
.beside{text-anchor:start;stroke:#fff;stroke-width:5px;stroke-linejoin:round;paint-order:stroke}\
.detail{fill:#627d98;font-size:11px}\
.message line,.message path{stroke:#0b69a3;stroke-width:1.6;fill:none}\
.lost line,.lost path{stroke:#cf1124;stroke-width:1.6;stroke-dasharray:6 4;fill:none}\
.lost text{fill:#ab091e}\
.connection line,.connection path{stroke:#9fb3c8;stroke-width:1.2;stroke-dasharray:2 3;fill:none}\
.connection text{fill:#627d98;font-size:12px}\
.broken line,.broken path{stroke:#e66a6a;stroke-width:1.2;stroke-dasharray:2 3;fill:none}\
.broken text{fill:#ba2525;font-size:12px}\
.cross path{stroke:#cf1124;stroke-width:2;stroke-dasharray:none}\
.note rect{fill:#fff8d6;stroke:#e9d48a}\
.note text{font-size:12px;fill:#5c4813}\
.note .dot{fill:#d9a514}";

const MARKERS: &str = "\
<marker id=\"head\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"9\" markerHeight=\"9\" \
markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path d=\"M0 0.8 L10 5 L0 9.2 Z\" fill=\"#0b69a3\" stroke=\"none\"/></marker>\
<marker id=\"light\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"8\" markerHeight=\"8\" \
markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path d=\"M1 1.5 L9 5 L1 8.5\" fill=\"none\" stroke=\"#9fb3c8\" \
stroke-width=\"1.5\" stroke-dasharray=\"none\"/></marker>";

/// Escapes text for content and attributes; what XML cannot carry becomes U+FFFD.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\t' | '\n' => escaped.push(c),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            _ => escaped.push(c),
        }
    }
    escaped
}

fn width(text: &str) -> usize {
    text.chars().count() * CHARACTER
}

/// Where everything is from left to right.
struct Layout {
    /// The right edge of the times.
    times: usize,
    /// The lifelines.
    columns: Vec<usize>,
    total: usize,
}

fn layout(title: &str, headings: &[&str], rows: &[Row]) -> Layout {
    let box_width = |name: &str| width(name) + 32;
    let mut gaps: Vec<usize> = headings
        .windows(2)
        .map(|pair| (box_width(pair[0]).midpoint(box_width(pair[1])) + 24).max(MIN_GAP))
        .collect();
    let mut spans: Vec<(usize, usize, usize)> = rows
        .iter()
        .filter_map(|row| match row.shape {
            Shape::Arrow { from, to } => {
                let short = if row.style.arrives() { 0 } else { SHORT };
                Some((
                    from.min(to),
                    from.max(to),
                    width(&row.caption()) + short + 48,
                ))
            }
            _ => None,
        })
        .collect();
    spans.sort_by_key(|(left, right, _)| right - left);
    for (left, right, need) in spans {
        let have: usize = gaps[left..right].iter().sum();
        let share = need.saturating_sub(have).div_ceil(right - left);
        for gap in &mut gaps[left..right] {
            *gap += share;
        }
    }
    let digits = rows.iter().map(|row| row.time().len()).max().unwrap_or(0) + 3;
    let times = MARGIN + digits * TIME_CHARACTER;
    let half = |name: Option<&&str>| name.map_or(0, |name| box_width(name) / 2);
    let mut position = times + 20 + half(headings.first());
    let mut columns = vec![position];
    for gap in gaps {
        position += gap;
        columns.push(position);
    }
    let mut total = (position + half(headings.last())).max(MARGIN + title.chars().count() * 11);
    for row in rows {
        if let Shape::Loop { at } | Shape::Stub { at } | Shape::Note { at } = row.shape {
            total = total.max(columns[at] + width(&row.caption()) + 48);
        }
    }
    Layout {
        times,
        columns,
        total: total + MARGIN,
    }
}

/// The caption of a line: the label, then the detail in another colour.
fn caption(row: &Row) -> String {
    let label = escape(&row.label);
    match &row.detail {
        Some(detail) => format!(
            "{label} <tspan class=\"detail\">[{}]</tspan>",
            escape(detail)
        ),
        None => label,
    }
}

fn draw(out: &mut String, row: &Row, columns: &[usize], y: usize) {
    let caption = caption(row);
    let text_y = y - 7;
    let marker = if row.style == Style::Message {
        "head"
    } else {
        "light"
    };
    // Writing to a string does not fail.
    let _ = match row.shape {
        Shape::Arrow { from, to } => {
            let x1 = columns[from];
            let x2 = match (row.style.arrives(), columns[to]) {
                (true, x) => x,
                (false, x) if x1 < x => x - SHORT,
                (false, x) => x + SHORT,
            };
            let middle = x1.midpoint(x2);
            if row.style.arrives() {
                write!(
                    out,
                    "<line x1=\"{x1}\" y1=\"{y}\" x2=\"{x2}\" y2=\"{y}\" marker-end=\"url(#{marker})\"/>"
                )
            } else {
                write!(
                    out,
                    "<line x1=\"{x1}\" y1=\"{y}\" x2=\"{x2}\" y2=\"{y}\"/>{}",
                    cross(x2, y)
                )
            }
            .and_then(|()| write!(out, "<text class=\"label\" x=\"{middle}\" y=\"{text_y}\">{caption}</text>"))
        }
        Shape::Loop { at } => {
            let x = columns[at];
            write!(
                out,
                "<path d=\"M{x} {} h22 v12 h-21\" marker-end=\"url(#{marker})\"/>\
                 <text class=\"beside\" x=\"{}\" y=\"{}\">{caption}</text>",
                y - 12,
                x + 32,
                y - 2
            )
        }
        Shape::Stub { at } => {
            let x = columns[at];
            write!(
                out,
                "<line x1=\"{x}\" y1=\"{y}\" x2=\"{}\" y2=\"{y}\"/>{}\
                 <text class=\"beside\" x=\"{}\" y=\"{}\">{caption}</text>",
                x + SHORT,
                cross(x + SHORT, y),
                x + SHORT + 12,
                y + 4
            )
        }
        Shape::Note { at } => {
            let x = columns[at];
            write!(
                out,
                "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"22\" rx=\"4\"/>\
                 <circle class=\"dot\" cx=\"{x}\" cy=\"{}\" r=\"4\"/>\
                 <text x=\"{}\" y=\"{}\">{caption}</text>",
                x + 10,
                y - 18,
                row.label.chars().count() * 15 / 2 + 16,
                y - 7,
                x + 18,
                y - 3
            )
        }
    };
}

/// The mark of what does not arrive.
fn cross(x: usize, y: usize) -> String {
    let (left, top) = (x - 5, y - 5);
    format!("<g class=\"cross\"><path d=\"M{left} {top} l10 10 m0 -10 l-10 10\"/></g>")
}

pub(super) fn render(title: &str, headings: &[&str], rows: &[Row], trace: bool) -> String {
    let layout = layout(title, headings, rows);
    let top = if title.is_empty() {
        MARGIN
    } else {
        MARGIN + TITLE
    };
    let first = top + HEADING + ROW;
    let bottom = first + rows.len() * ROW;
    let (total, height) = (layout.total, bottom + MARGIN);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {total} {height}\" \
         width=\"{total}\" height=\"{height}\" role=\"img\">\n\
         <title>{title}</title>\n<defs>{MARKERS}</defs>\n<style>{STYLE}</style>\n\
         <rect class=\"page\" width=\"{total}\" height=\"{height}\"/>\n",
        title = escape(title)
    );
    if !title.is_empty() {
        let y = MARGIN + 18;
        let title = escape(title);
        let _ = writeln!(
            out,
            "<text class=\"title\" x=\"{MARGIN}\" y=\"{y}\">{title}</text>"
        );
    }
    for (name, x) in headings.iter().zip(&layout.columns) {
        let wide = width(name) + 32;
        let _ = writeln!(
            out,
            "<line class=\"life\" x1=\"{x}\" y1=\"{}\" x2=\"{x}\" y2=\"{bottom}\"/>\
             <g class=\"head\"><rect x=\"{}\" y=\"{top}\" width=\"{wide}\" height=\"{HEADING}\" rx=\"6\"/>\
             <text x=\"{x}\" y=\"{}\">{}</text></g>",
            top + HEADING,
            x - wide / 2,
            top + 21,
            escape(name)
        );
    }
    for (index, row) in rows.iter().enumerate() {
        let y = first + index * ROW;
        let class = match (row.shape, row.style) {
            (Shape::Note { .. }, _) => "note",
            (_, Style::Message) => "message",
            (_, Style::Lost) => "lost",
            (_, Style::Connection) => "connection",
            (_, Style::Broken) => "broken",
        };
        let _ = write!(out, "<g class=\"{class}\">");
        if trace && !row.text.is_empty() {
            let full = lines(&row.text).join("\n");
            let _ = write!(out, "<title>{}</title>", escape(&full));
        }
        draw(&mut out, row, &layout.columns, y);
        out.push_str("</g>");
        let _ = writeln!(
            out,
            "<text class=\"time\" x=\"{}\" y=\"{}\">{} ms</text>",
            layout.times,
            y + 4,
            row.time()
        );
    }
    out.push_str("</svg>\n");
    out
}
