//! Ordering of SRV records (RFC 2782).

use rand_core::Rng;

use crate::backoff::below_or_equal;
use crate::name::canonical_dns;

/// One SRV record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SrvRecord {
    /// Lower is tried first.
    pub priority: u16,
    /// Share among records of one priority.
    pub weight: u16,
    /// Port of the service; records with port 0 are ignored.
    pub port: u16,
    /// Name of the server; `.` says that the domain does not have the service.
    pub target: String,
}

/// Makes targets canonical, drops records that lead nowhere, keeps at most `limit` of those with the lowest
/// priority, and sorts, so that the order in which the resolver gave them does not matter.
pub(super) fn clean(records: Vec<SrvRecord>, limit: usize) -> Vec<SrvRecord> {
    let mut records: Vec<_> = records
        .into_iter()
        .filter(|record| record.port != 0)
        .filter_map(|record| {
            Some(SrvRecord {
                target: canonical_dns(&record.target, "target").ok()?,
                ..record
            })
        })
        .collect();
    if records.len() > limit {
        if limit > 0 {
            records.select_nth_unstable(limit - 1);
        }
        records.truncate(limit);
        records.shrink_to_fit();
    }
    // Within one priority this puts the records of weight 0 first, as the selection demands.
    records.sort_unstable();
    records.dedup();
    records
}

/// Orders cleaned records: by priority, within one by weighted random selection.
///
/// Quadratic in the number of records of one priority, which [`clean`] bounds.
pub(super) fn order(mut records: Vec<SrvRecord>, rng: &mut impl Rng) -> Vec<SrvRecord> {
    let mut ordered = Vec::with_capacity(records.len());
    while let Some(first) = records.first() {
        let priority = first.priority;
        let group = records
            .iter()
            .take_while(|record| record.priority == priority);
        let (count, sum) = group.fold((0, 0), |(count, sum), record| {
            (count + 1, sum + u64::from(record.weight))
        });
        // A group of one needs no chance: then one random number more or less does not change later choices.
        let at = if count == 1 {
            0
        } else {
            let chosen = below_or_equal(rng, sum);
            let mut running = 0;
            records
                .iter()
                .position(|record| {
                    running += u64::from(record.weight);
                    running >= chosen
                })
                .unwrap_or(0)
        };
        ordered.push(records.remove(at));
    }
    ordered
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha12Rng;
    use rand_core::SeedableRng;

    use super::*;

    fn record(priority: u16, weight: u16, target: &str) -> SrvRecord {
        SrvRecord {
            priority,
            weight,
            port: 5061,
            target: target.into(),
        }
    }

    #[test]
    fn cleaned() {
        let mut zero = record(0, 0, "zero.example");
        zero.port = 0;
        let records = vec![
            record(1, 0, "B.example."),
            record(0, 5, "a.example"),
            zero,
            record(0, 0, "."),
            record(0, 0, "10.0.0.1"),
            record(0, 0, "a b"),
            record(0, 1, "c.example"),
            record(1, 0, "b.example"),
        ];
        assert_eq!(
            clean(records.clone(), 9),
            [
                record(0, 1, "c.example"),
                record(0, 5, "a.example"),
                record(1, 0, "b.example")
            ]
        );
        assert_eq!(clean(records.clone(), 1), [record(0, 1, "c.example")]);
        assert!(clean(records, 0).is_empty());
    }

    #[test]
    fn priority_before_weight() {
        let mut rng = ChaCha12Rng::seed_from_u64(0);
        let records = clean(
            vec![record(2, 65535, "c"), record(0, 0, "a"), record(1, 1, "b")],
            9,
        );
        let targets: Vec<_> = order(records, &mut rng)
            .into_iter()
            .map(|record| record.target)
            .collect();
        assert_eq!(targets, ["a", "b", "c"]);
    }

    #[test]
    fn weights_are_shares() {
        let mut rng = ChaCha12Rng::seed_from_u64(7);
        let records = clean(
            vec![
                record(0, 10, "ten"),
                record(0, 30, "thirty"),
                record(0, 0, "zero"),
            ],
            9,
        );
        let mut first = std::collections::BTreeMap::<String, u32>::new();
        for _ in 0..4000 {
            let ordered = order(records.clone(), &mut rng);
            assert_eq!(ordered.len(), 3);
            *first.entry(ordered[0].target.clone()).or_default() += 1;
        }
        assert!((900..1100).contains(&first["ten"]), "{first:?}");
        assert!((2750..3050).contains(&first["thirty"]), "{first:?}");
        assert!((40..180).contains(&first["zero"]), "{first:?}");
    }
}
