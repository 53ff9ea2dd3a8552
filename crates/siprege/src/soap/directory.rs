//! `directorySearch`: people found by the server.

use ocs_xml::{Attribute, Error, Limits, Reader, SmolStr, Value, Writer};

use super::METHODS;

/// What to look for. The request goes to the domain, `sip:contoso.com`, not to the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    /// Attributes and what they are to be like; all must fit (inferred).
    pub rows: Vec<SearchRow>,
    /// How many results are wanted; absent: as many as the server gives.
    pub max_results: Option<u32>,
}

/// One condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchRow {
    /// The attribute: `givenName`, `givenEmail`, `msRTCSIP-PrimaryUserAddress`.
    pub attribute: SmolStr,
    /// Its value.
    pub value: SmolStr,
}

impl Search {
    /// The body of the request.
    #[must_use]
    pub fn to_body(&self) -> String {
        super::envelope(|writer| {
            super::open(writer, "directorySearch");
            super::open(writer, "filter");
            writer.attr_prefixed("m", METHODS, "href", "#searchArray");
            writer.close();
            if let Some(max) = self.max_results {
                super::value_field(writer, "maxResults", &max);
            }
            writer.close();
            super::open(writer, "Array");
            writer.attr_prefixed("m", METHODS, "id", "searchArray");
            for row in &self.rows {
                super::open(writer, "row");
                writer.attr_prefixed("m", METHODS, "attrib", &row.attribute);
                writer.attr_prefixed("m", METHODS, "value", &row.value);
                writer.close();
            }
            writer.close();
        })
    }

    /// Reads the method element; the rows stand outside of it.
    pub(super) fn read_method(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let mut max_results = None;
        while let Some(tag) = reader.child()? {
            if tag.is(METHODS, "maxResults") {
                let max = super::parse(reader, "directorySearch", "maxResults")?;
                super::set(&mut max_results, max, "directorySearch", "maxResults")?;
            } else {
                reader.skip()?;
            }
        }
        Ok(Self {
            rows: Vec::new(),
            max_results,
        })
    }
}

/// Attributes are qualified here; one without prefix is taken too.
fn attributes<'r, 'a>(
    reader: &'r Reader<'a>,
) -> impl Iterator<Item = &'r Attribute<'a>> + use<'r, 'a> {
    reader
        .attributes()
        .iter()
        .filter(|attribute| attribute.namespace.is_empty() || attribute.namespace == METHODS)
}

/// Reads the `row` elements of an `Array`.
fn each_row<'a>(
    reader: &mut Reader<'a>,
    mut each: impl FnMut(&Reader<'a>) -> Result<(), Error>,
) -> Result<(), Error> {
    while let Some(tag) = reader.child()? {
        if tag.is(METHODS, "row") {
            each(reader)?;
        }
        reader.skip()?;
    }
    Ok(())
}

pub(super) fn read_rows(reader: &mut Reader<'_>, rows: &mut Vec<SearchRow>) -> Result<(), Error> {
    each_row(reader, |reader| {
        let (mut attribute, mut value) = (None, None);
        for found in attributes(reader) {
            match found.name {
                "attrib" => attribute = Some(found.value()?.into()),
                "value" => value = Some(found.value()?.into()),
                _ => {}
            }
        }
        let missing = |attribute| Error::MissingAttribute {
            element: "row",
            attribute,
        };
        rows.push(SearchRow {
            attribute: attribute.ok_or(missing("attrib"))?,
            value: value.ok_or(missing("value"))?,
        });
        Ok(())
    })
}

macro_rules! entry {
    ($($(#[$meta:meta])* $field:ident = $wire:literal),* $(,)?) => {
        /// A person that was found.
        #[derive(Debug, Clone, PartialEq, Eq, Default)]
        pub struct Entry {
            $($(#[$meta])* pub $field: SmolStr,)*
        }

        impl Entry {
            fn fields(&self) -> impl Iterator<Item = (&'static str, &SmolStr)> {
                [$(($wire, &self.$field)),*].into_iter()
            }

            fn field_mut(&mut self, name: &str) -> Option<&mut SmolStr> {
                match name {
                    $($wire => Some(&mut self.$field),)*
                    _ => None,
                }
            }
        }
    };
}

entry! {
    /// The SIP address with `sip:`.
    uri = "uri",
    /// The name.
    display_name = "displayName",
    /// The title.
    title = "title",
    /// The office.
    office = "office",
    /// The telephone number.
    phone = "phone",
    /// The company.
    company = "company",
    /// The city.
    city = "city",
    /// The state or province.
    state = "state",
    /// The country.
    country = "country",
    /// The mail address.
    email = "email",
}

/// What was found. Nothing found and a search that nobody understands look the same: no entry.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SearchAnswer {
    /// There are more.
    pub more_available: bool,
    /// Those that are told.
    pub entries: Vec<Entry>,
}

impl SearchAnswer {
    /// Entries that a server gives at most.
    pub const LIMIT: u32 = 100;

    /// The answer to a search with these hits: no more than are wanted, and no more than `limit`.
    pub fn of(search: &Search, hits: impl IntoIterator<Item = Entry>, limit: u32) -> Self {
        let most = search.max_results.unwrap_or(limit).min(limit);
        let mut hits = hits.into_iter();
        let entries = hits.by_ref().take(most as usize).collect();
        Self {
            entries,
            more_available: hits.next().is_some(),
        }
    }

    /// The body of the answer.
    #[must_use]
    pub fn to_body(&self) -> String {
        super::envelope(|writer| {
            super::open(writer, "directorySearch");
            super::value_field(writer, "moreAvailable", &self.more_available);
            super::value_field(writer, "returned", &(self.entries.len() as u64));
            super::open(writer, "value");
            writer.attr_prefixed("m", METHODS, "href", "#rows");
            writer.close();
            writer.close();
            super::open(writer, "Array");
            writer.attr_prefixed("m", METHODS, "id", "rows");
            for entry in &self.entries {
                write_entry(writer, entry);
            }
            writer.close();
        })
    }

    /// Reads the body of an answer.
    pub fn read(document: &[u8], limits: &Limits) -> Result<Self, Error> {
        let mut answer = Self::default();
        let mut method = None;
        super::read(document, limits, |tag, reader| {
            if tag.is(METHODS, "Array") {
                each_row(reader, |reader| {
                    answer.entries.push(read_entry(reader)?);
                    Ok(())
                })
            } else if tag.is(METHODS, "directorySearch") {
                let more = read_more_available(reader)?;
                super::set(&mut method, more, "Body", "directorySearch")
            } else {
                reader.skip()
            }
        })?;
        answer.more_available = method.ok_or(Error::MissingElement {
            element: "Body",
            child: "directorySearch",
        })?;
        Ok(answer)
    }
}

fn read_more_available(reader: &mut Reader<'_>) -> Result<bool, Error> {
    let mut more = false;
    while let Some(tag) = reader.child()? {
        if tag.is(METHODS, "moreAvailable") {
            more = bool::parse(&reader.text()?).ok_or(Error::Value {
                element: "directorySearch",
                name: "moreAvailable",
            })?;
        } else {
            reader.skip()?;
        }
    }
    Ok(more)
}

fn read_entry(reader: &Reader<'_>) -> Result<Entry, Error> {
    let mut entry = Entry::default();
    for attribute in attributes(reader) {
        if let Some(field) = entry.field_mut(attribute.name) {
            *field = attribute.value()?.into();
        }
    }
    Ok(entry)
}

fn write_entry(writer: &mut Writer, entry: &Entry) {
    super::open(writer, "row");
    for (name, value) in entry.fields() {
        writer.attr_prefixed("m", METHODS, name, value);
    }
    writer.close();
}
