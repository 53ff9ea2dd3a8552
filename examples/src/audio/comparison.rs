//! What was heard, beside what was said.

use std::fmt;

/// Two recordings, sample for sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// Samples that both have.
    pub compared: usize,
    /// Of them those that differ.
    pub different: usize,
    /// Where the first of those is.
    pub first_difference: Option<usize>,
    /// Samples that the second lacks at its end; negative, if it has more.
    pub missing: isize,
}

impl Comparison {
    /// Compares a recording with the one that it is to be.
    pub fn of(expected: &[i16], actual: &[i16]) -> Self {
        let mut differences = (expected.iter().zip(actual).enumerate())
            .filter(|(_, (expected, actual))| expected != actual)
            .map(|(index, _)| index);
        let first_difference = differences.next();
        Self {
            compared: expected.len().min(actual.len()),
            different: usize::from(first_difference.is_some()) + differences.count(),
            first_difference,
            missing: expected.len().cast_signed() - actual.len().cast_signed(),
        }
    }

    /// Whether they are the same.
    pub const fn is_equal(&self) -> bool {
        self.different == 0 && self.missing == 0
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            compared,
            different,
            ..
        } = self;
        write!(f, "{different} of {compared} samples differ")?;
        if let Some(first) = self.first_difference {
            write!(f, ", the first is {first}")?;
        }
        match self.missing {
            0 => Ok(()),
            missing @ 1.. => write!(f, "; {missing} are missing"),
            more => write!(f, "; {} are too many", more.unsigned_abs()),
        }
    }
}
