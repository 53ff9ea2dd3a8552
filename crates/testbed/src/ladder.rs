//! Ladder diagrams: the record for people.

mod svg;
mod text;

use core::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;

use crate::host::HostId;
use crate::record::{Event, Fate, Flow, Message, Record};
use crate::testbed::Testbed;

/// Longer labels and notes are cut.
const MAX_LABEL: usize = 72;

/// A record of the network as a diagram: one column per host, one line per message, time goes down.
///
/// [`Display`](fmt::Display) gives text for a terminal, [`to_svg`](Self::to_svg) a picture.
#[derive(Debug, Clone)]
pub struct Ladder {
    title: String,
    names: Vec<String>,
    columns: Vec<HostId>,
    records: Vec<Record>,
    trace: bool,
}

/// What a line looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// A message that arrived.
    Message,
    /// A message that did not arrive.
    Lost,
    /// Something about a connection that worked.
    Connection,
    /// Something about a connection that did not work.
    Broken,
}

impl Style {
    const fn arrives(self) -> bool {
        matches!(self, Self::Message | Self::Connection)
    }

    const fn is_light(self) -> bool {
        matches!(self, Self::Connection | Self::Broken)
    }
}

/// Where a line is. The numbers are those of columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// From one column to another.
    Arrow { from: usize, to: usize },
    /// From a column to itself.
    Loop { at: usize },
    /// From a column to no host.
    Stub { at: usize },
    /// A remark beside a column.
    Note { at: usize },
}

/// One line of the diagram.
#[derive(Debug, Clone)]
struct Row {
    at: Duration,
    shape: Shape,
    style: Style,
    label: String,
    detail: Option<String>,
    text: Bytes,
}

impl Row {
    /// Label and detail in one.
    fn caption(&self) -> String {
        match &self.detail {
            Some(detail) => format!("{} [{detail}]", self.label),
            None => self.label.clone(),
        }
    }

    fn time(&self) -> String {
        format!("{:.1}", self.at.as_secs_f64() * 1000.0)
    }
}

/// One line, without control characters, not too long.
fn clean(label: &str) -> String {
    let mut clean: String = label
        .chars()
        .map(|c| if c.is_control() { '·' } else { c })
        .collect();
    if let Some((end, _)) = clean.char_indices().nth(MAX_LABEL) {
        clean.truncate(end);
        clean.push('…');
    }
    clean
}

/// A message in full, as lines: text as it is but for blank lines at its end, everything else as a
/// hexadecimal dump.
fn lines(text: &[u8]) -> Vec<String> {
    let readable = core::str::from_utf8(text).ok().filter(|text| {
        !text.contains(|c: char| c.is_control() && !matches!(c, '\r' | '\n' | '\t'))
    });
    if let Some(text) = readable {
        return text
            .trim_end()
            .lines()
            .map(|line| line.replace(['\r', '\t'], " "))
            .collect();
    }
    let rows = text.chunks(16).enumerate();
    rows.map(|(index, row)| {
        let hex: Vec<String> = row.iter().map(|byte| format!("{byte:02x}")).collect();
        let printable = |byte: &u8| {
            if byte.is_ascii_graphic() {
                char::from(*byte)
            } else {
                '.'
            }
        };
        let ascii: String = row.iter().map(printable).collect();
        format!("{:04x}  {:<47}  {ascii}", index * 16, hex.join(" "))
    })
    .collect()
}

impl Ladder {
    pub(crate) fn new(title: String, names: Vec<String>, records: Vec<Record>) -> Self {
        let asked = records.iter().any(|record| match &record.event {
            Event::Message(message) => message.flow.to == Some(Testbed::DNS),
            Event::Note { host, .. } => *host == Testbed::DNS,
            _ => false,
        });
        let mut columns: Vec<HostId> = (1..names.len()).map(HostId).collect();
        columns.extend(asked.then_some(Testbed::DNS));
        Self {
            title,
            names,
            columns,
            records,
            trace: false,
        }
    }

    /// Shows only these hosts, from left to right. What goes to or comes from others is left out.
    #[must_use]
    pub fn columns(mut self, hosts: impl IntoIterator<Item = HostId>) -> Self {
        self.columns = hosts.into_iter().collect();
        self
    }

    /// Whether to show every message in full under its line (in a picture: as the tooltip of its line).
    #[must_use]
    pub const fn trace(mut self, trace: bool) -> Self {
        self.trace = trace;
        self
    }

    /// Leaves out the opening and closing of connections.
    #[must_use]
    pub fn messages_only(mut self) -> Self {
        self.records
            .retain(|record| matches!(record.event, Event::Message(_) | Event::Note { .. }));
        self
    }

    /// The diagram as an SVG document.
    #[must_use]
    pub fn to_svg(&self) -> String {
        svg::render(&self.title, &self.headings(), &self.rows(), self.trace)
    }

    fn headings(&self) -> Vec<&str> {
        self.columns
            .iter()
            .map(|host| self.names[host.0].as_str())
            .collect()
    }

    fn column(&self, host: HostId) -> Option<usize> {
        self.columns.iter().position(|column| *column == host)
    }

    fn shape(&self, flow: &Flow) -> Option<Shape> {
        let from = self.column(flow.from)?;
        Some(match flow.to {
            None => Shape::Stub { at: from },
            Some(to) if to == flow.from => Shape::Loop { at: from },
            Some(to) => Shape::Arrow {
                from,
                to: self.column(to)?,
            },
        })
    }

    fn rows(&self) -> Vec<Row> {
        self.records
            .iter()
            .filter_map(|record| self.row(record))
            .collect()
    }

    fn row(&self, record: &Record) -> Option<Row> {
        let at = record.at;
        let line = |flow: &Flow, style, label: String| {
            Some(Row {
                at,
                shape: self.shape(flow)?,
                style,
                label: clean(&label),
                detail: None,
                text: Bytes::new(),
            })
        };
        match &record.event {
            Event::Message(message) => {
                let (style, extra) = match message.fate {
                    Fate::Delivered => (Style::Message, ""),
                    Fate::Duplicated => (Style::Message, " (again)"),
                    Fate::Lost => (Style::Lost, ""),
                    Fate::Reset => (Style::Lost, " (reset)"),
                };
                let Message { flow, label, .. } = message;
                let label = format!("{label}{extra}{}", towards(flow));
                let row = line(flow, style, label)?;
                let detail = message.detail.as_deref().map(clean);
                let text = message.text.clone();
                Some(Row {
                    detail,
                    text,
                    ..row
                })
            }
            Event::Opened { flow } => line(
                flow,
                Style::Connection,
                format!("{} connected", flow.transport),
            ),
            Event::ConnectFailed { flow, reason } => {
                let label = format!("{} {reason}{}", flow.transport, towards(flow));
                line(flow, Style::Broken, label)
            }
            Event::Closed { flow, how, fate } => {
                let style = match fate {
                    Fate::Lost => Style::Broken,
                    _ => Style::Connection,
                };
                line(flow, style, format!("{} {how}", flow.transport))
            }
            Event::Note { host, text } => Some(Row {
                at,
                shape: Shape::Note {
                    at: self.column(*host)?,
                },
                style: Style::Message,
                label: clean(text),
                detail: None,
                text: Bytes::new(),
            }),
        }
    }
}

/// The address of a flow that ends nowhere; the others show theirs by their column.
fn towards(flow: &Flow) -> String {
    let address: Option<SocketAddr> = flow.to.is_none().then_some(flow.destination);
    address.map_or_else(String::new, |address| format!(" to {address}"))
}

impl fmt::Display for Ladder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        text::render(f, &self.title, &self.headings(), &self.rows(), self.trace)
    }
}
