//! One setting for all groups.

use std::time::Duration;

use criterion::Criterion;

/// Short runs: the whole comparison stays below two minutes.
#[must_use]
pub fn criterion() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .sample_size(50)
}
