//! Working hours, in the form of Exchange's web services (\[MS-PRES\], calendar data schema).

use jiff::ToSpan;
use jiff::civil::{self, Weekday};
use ocs_xml::{SmolStr, Value, content, element, words};

use crate::Time;

/// The namespace.
pub const NAMESPACE: &str = "http://schemas.microsoft.com/exchange/services/2006/types";

words! {
    /// A day of the week, or several.
    pub enum DayOfWeek {
        /// Sunday.
        Sunday = "Sunday",
        /// Monday.
        Monday = "Monday",
        /// Tuesday.
        Tuesday = "Tuesday",
        /// Wednesday.
        Wednesday = "Wednesday",
        /// Thursday.
        Thursday = "Thursday",
        /// Friday.
        Friday = "Friday",
        /// Saturday.
        Saturday = "Saturday",
        /// Every day.
        Day = "Day",
        /// Monday to Friday.
        Weekday = "Weekday",
        /// Saturday and Sunday.
        WeekendDay = "WeekendDay",
    }
}

impl DayOfWeek {
    const fn includes(self, day: Weekday) -> bool {
        let weekend = matches!(day, Weekday::Saturday | Weekday::Sunday);
        match self {
            Self::Day => true,
            Self::Weekday => !weekend,
            Self::WeekendDay => weekend,
            day_of_week => match day_of_week.single() {
                Some(single) => single.to_sunday_zero_offset() == day.to_sunday_zero_offset(),
                None => false,
            },
        }
    }

    const fn single(self) -> Option<Weekday> {
        Some(match self {
            Self::Sunday => Weekday::Sunday,
            Self::Monday => Weekday::Monday,
            Self::Tuesday => Weekday::Tuesday,
            Self::Wednesday => Weekday::Wednesday,
            Self::Thursday => Weekday::Thursday,
            Self::Friday => Weekday::Friday,
            Self::Saturday => Weekday::Saturday,
            Self::Day | Self::Weekday | Self::WeekendDay => return None,
        })
    }
}

/// Days, with blanks between them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Days(pub Vec<DayOfWeek>);

impl Value for Days {
    fn parse(text: &str) -> Option<Self> {
        text.split_ascii_whitespace()
            .map(DayOfWeek::parse)
            .collect::<Option<_>>()
            .map(Self)
    }

    fn format(&self, out: &mut String) {
        for (index, day) in self.0.iter().enumerate() {
            if index > 0 {
                out.push(' ');
            }
            out.push_str(day.as_str());
        }
    }
}

content! {
    /// When a part of the year begins, and how its clock goes.
    pub struct Transition(NAMESPACE, "SerializableTimeZoneTime") {
        /// Minutes more than the time zone's own: UTC is local time plus both.
        leaf bias: i32 = "Bias",
        /// At which time of the day, `hh:mm:ss`, by the clock that goes until then.
        leaf time: SmolStr = "Time",
        /// On the which of these days of the month; 5 is the last.
        leaf day_order: u8 = "DayOrder",
        /// In which month; 0 when the clock goes the same all the year.
        leaf month: u8 = "Month",
        /// On which day.
        leaf day_of_week: DayOfWeek = "DayOfWeek",
    }
}

impl Transition {
    /// The local time at which it happens in a year.
    fn in_year(&self, year: i16) -> Option<civil::DateTime> {
        let month = i8::try_from(self.month).ok()?;
        let first = civil::Date::new(year, month, 1).ok()?;
        let nth = if self.day_order >= 5 {
            -1
        } else {
            i8::try_from(self.day_order).ok()?
        };
        let date = first
            .nth_weekday_of_month(nth, self.day_of_week.single()?)
            .ok()?;
        let time: civil::Time = self.time.trim_ascii().parse().ok()?;
        Some(date.to_datetime(time))
    }
}

element! {
    /// How local time comes from UTC.
    pub struct TimeZone(NAMESPACE, "TimeZone") {
        /// Minutes: UTC is local time plus this, and plus that of the part of the year.
        leaf bias: i32 = "Bias",
        /// Winter.
        part standard_time: Transition = "StandardTime",
        /// Summer.
        part daylight_time: Transition = "DaylightTime",
    }
}

impl TimeZone {
    /// Local time. `None` outside the calendar.
    fn local(&self, time: Time) -> Option<civil::DateTime> {
        let utc = time.civil();
        let minus = |minutes: i32| utc.checked_sub(i64::from(minutes).minutes()).ok();
        let standard_bias = self.bias.checked_add(self.standard_time.bias)?;
        let daylight_bias = self.bias.checked_add(self.daylight_time.bias)?;
        let (standard, daylight) = (minus(standard_bias)?, minus(daylight_bias)?);
        let year = standard.year();
        let begin = self.daylight_time.in_year(year);
        let end = self.standard_time.in_year(year);
        let summer = match (begin, end) {
            // Each change is told by the clock that goes until then.
            (Some(begin), Some(end)) if begin < end => standard >= begin && daylight < end,
            (Some(begin), Some(end)) => standard >= begin || daylight < end,
            _ => false,
        };
        Some(if summer { daylight } else { standard })
    }
}

element! {
    /// Hours of work on days of the week.
    pub struct WorkingPeriod(NAMESPACE, "WorkingPeriod") {
        /// The days.
        leaf days: Days = "DayOfWeek",
        /// Minutes from midnight to the beginning.
        leaf start: u32 = "StartTimeInMinutes",
        /// Minutes from midnight to the end.
        leaf end: u32 = "EndTimeInMinutes",
    }
}

element! {
    /// The periods.
    #[derive(Default)]
    pub struct WorkingPeriodArray(NAMESPACE, "WorkingPeriodArray") {
        /// The periods.
        children period: WorkingPeriod,
    }
}

element! {
    /// When somebody works.
    pub struct WorkingHours(NAMESPACE, "WorkingHours") {
        /// Whose clock counts.
        child time_zone: TimeZone,
        /// The periods.
        child_opt periods: WorkingPeriodArray,
    }
}

impl WorkingHours {
    /// Whether a time is one of work. A period that ends before it begins goes on over midnight (inferred).
    #[must_use]
    pub fn contains(&self, time: Time) -> bool {
        let Some(local) = self.time_zone.local(time) else {
            return false;
        };
        let minute = u32::try_from(i32::from(local.hour()) * 60 + i32::from(local.minute()));
        let minute = minute.unwrap_or_default();
        let today = local.weekday();
        let yesterday = today.previous();
        let on = |period: &WorkingPeriod, day| period.days.0.iter().any(|days| days.includes(day));
        self.periods
            .iter()
            .flat_map(|periods| &periods.period)
            .any(|period| {
                if period.start <= period.end {
                    on(period, today) && (period.start..period.end).contains(&minute)
                } else {
                    (on(period, today) && minute >= period.start)
                        || (on(period, yesterday) && minute < period.end)
                }
            })
    }
}
