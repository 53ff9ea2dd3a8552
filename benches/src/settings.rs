//! What benches share: one setting for all groups, and the memory of the process.

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

/// Whether everything runs once, to see that it works (`cargo bench -- --test`): sizes are small then.
#[must_use]
pub fn is_test() -> bool {
    std::env::args().any(|argument| argument == "--test")
}

/// Resident octets of this process; `None` where the system does not say.
#[must_use]
pub fn resident() -> Option<usize> {
    const PAGE: usize = 4096;
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: usize = text.split(' ').nth(1)?.parse().ok()?;
    Some(pages * PAGE)
}
