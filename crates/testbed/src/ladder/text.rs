//! Ladder diagrams of characters.

use core::fmt;

use super::{Row, Shape, lines};

/// The least room between two headings.
const HEADING_GAP: usize = 4;

/// What an arrow needs beside its caption: two dashes, a blank, a blank, a dash and the head.
const ARROW: usize = 6;

/// How far from the column an arrow ends that does not arrive.
const SHORT: usize = 3;

fn width(text: &str) -> usize {
    text.chars().count()
}

/// The column of characters for every lifeline.
fn layout(headings: &[&str], rows: &[Row]) -> Vec<usize> {
    let mut gaps: Vec<usize> = headings
        .windows(2)
        .map(|pair| width(pair[0]).div_ceil(2) + width(pair[1]).div_ceil(2) + HEADING_GAP)
        .collect();
    let mut spans: Vec<(usize, usize, usize)> = rows
        .iter()
        .filter_map(|row| match row.shape {
            Shape::Arrow { from, to } => {
                let short = if row.style.arrives() { 0 } else { SHORT };
                let need = width(&row.caption()) + ARROW + short + 1;
                Some((from.min(to), from.max(to), need))
            }
            _ => None,
        })
        .collect();
    // Narrow spans first: they widen the gaps that wide ones then find wide enough.
    spans.sort_by_key(|(left, right, _)| right - left);
    for (left, right, need) in spans {
        let have: usize = gaps[left..right].iter().sum();
        let missing = need.saturating_sub(have);
        let count = right - left;
        for (index, gap) in gaps[left..right].iter_mut().enumerate() {
            *gap += missing / count + usize::from(index < missing % count);
        }
    }
    let Some(first) = headings.first() else {
        return Vec::new();
    };
    let mut position = width(first) / 2;
    let mut positions = vec![position];
    for gap in gaps {
        position += gap;
        positions.push(position);
    }
    positions
}

/// One line of characters.
struct Line(Vec<char>);

impl Line {
    fn lifelines(positions: &[usize]) -> Self {
        let mut line = Self(Vec::new());
        for position in positions {
            line.put(*position, "│");
        }
        line
    }

    fn put(&mut self, start: usize, text: &str) {
        for (index, c) in text.chars().enumerate() {
            let at = start + index;
            if self.0.len() <= at {
                self.0.resize(at + 1, ' ');
            }
            self.0[at] = c;
        }
    }

    fn arrow(&mut self, (from, to): (usize, usize), row: &Row) {
        let (left, right) = (from.min(to), from.max(to));
        let short = if row.style.arrives() { 0 } else { SHORT };
        let light = row.style.is_light();
        let (start, end) = if from < to {
            (left + 1, right - short)
        } else {
            (left + 1 + short, right)
        };
        for at in start..end {
            self.0[at] = match (self.0[at], light) {
                ('│', false) => '┼',
                ('│', true) => '│',
                (_, false) => '─',
                (_, true) => '┄',
            };
        }
        let (head, tip) = if from < to {
            (end - 1, '→')
        } else {
            (start, '←')
        };
        self.0[head] = if short == 0 { tip } else { 'x' };
        let caption = format!(" {} ", row.caption());
        // Centred between the lifelines, but never over the head.
        let room = end - start;
        let middle = start + (room - width(&caption)) / 2;
        self.put(middle, &caption);
    }

    fn text(&self) -> String {
        let line: String = self.0.iter().collect();
        line.trim_end().to_owned()
    }
}

pub(super) fn render(
    f: &mut fmt::Formatter<'_>,
    title: &str,
    headings: &[&str],
    rows: &[Row],
    trace: bool,
) -> fmt::Result {
    let positions = layout(headings, rows);
    let times = rows
        .iter()
        .map(|row| width(&row.time()))
        .max()
        .unwrap_or(0)
        .max(2);
    if !title.is_empty() {
        writeln!(f, "{title}\n")?;
    }
    let mut write = |time: &str, rest: &str| {
        let line = format!("{time:>times$}  {rest}");
        writeln!(f, "{}", line.trim_end())
    };
    let mut line = Line(Vec::new());
    for (name, position) in headings.iter().zip(&positions) {
        line.put(position - width(name) / 2, name);
    }
    write("ms", &line.text())?;
    let empty = Line::lifelines(&positions).text();
    write("", &empty)?;
    for row in rows {
        let mut line = Line::lifelines(&positions);
        match row.shape {
            Shape::Arrow { from, to } => line.arrow((positions[from], positions[to]), row),
            Shape::Loop { at } => line.put(positions[at], &format!("├↻ {} ", row.caption())),
            Shape::Stub { at } => line.put(positions[at], &format!("├─ {} ─x ", row.caption())),
            Shape::Note { at } => line.put(positions[at], &format!("◆ {} ", row.caption())),
        }
        write(&row.time(), &line.text())?;
        if trace && !row.text.is_empty() {
            for text in lines(&row.text) {
                write("", &format!("    {text}"))?;
            }
            write("", &empty)?;
        }
    }
    write("", &empty)
}
