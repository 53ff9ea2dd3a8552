//! The command line that all examples share.

use std::path::PathBuf;

/// The switches of an example: `--trace`, `--svg FILE`, `--pcap FILE`, `--seed N`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// `--trace`: show every message in full.
    pub trace: bool,
    /// `--svg FILE`: where to write the ladder diagram as SVG.
    pub svg: Option<PathBuf>,
    /// `--pcap FILE`: where to write the packets of the run; see [`Testbed::pcap`](crate::Testbed::pcap).
    pub pcap: Option<PathBuf>,
    /// `--seed N`: the seed of the testbed, zero if not given.
    pub seed: u64,
    /// Everything else, for the example itself.
    pub rest: Vec<String>,
}

/// The command line makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OptionsError {
    /// The switch needs a value.
    #[error("{0} needs a value")]
    MissingValue(&'static str),
    /// The value of `--seed` is not a number from 0 to 2^64-1.
    #[error("--seed needs a number, not `{0}`")]
    Seed(String),
}

impl Options {
    /// Reads the arguments, without the name of the program: `std::env::args().skip(1)`.
    ///
    /// Values may follow as the next argument or after `=`.
    pub fn from_args(args: impl IntoIterator<Item = String>) -> Result<Self, OptionsError> {
        let mut options = Self::default();
        let mut args = args.into_iter();
        while let Some(arg) = args.next() {
            let (name, value) = match arg.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (arg.as_str(), None),
            };
            match name {
                "--trace" if value.is_none() => options.trace = true,
                "--svg" => {
                    let file = value.or_else(|| args.next());
                    options.svg = Some(file.ok_or(OptionsError::MissingValue("--svg"))?.into());
                }
                "--pcap" => {
                    let file = value.or_else(|| args.next());
                    options.pcap = Some(file.ok_or(OptionsError::MissingValue("--pcap"))?.into());
                }
                "--seed" => {
                    let seed = value.or_else(|| args.next());
                    let seed = seed.ok_or(OptionsError::MissingValue("--seed"))?;
                    options.seed = seed.parse().map_err(|_| OptionsError::Seed(seed))?;
                }
                _ => options.rest.push(arg),
            }
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::{Options, OptionsError};

    fn parse(text: &str) -> Result<Options, OptionsError> {
        Options::from_args(text.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn reads_switches() {
        let options = parse("--trace 5 --seed 7 --svg=flow.svg --pcap run.pcap --other=1").unwrap();
        assert!(options.trace);
        assert_eq!(options.seed, 7);
        assert_eq!(options.svg.unwrap().to_str(), Some("flow.svg"));
        assert_eq!(options.pcap.unwrap().to_str(), Some("run.pcap"));
        assert_eq!(options.rest, ["5", "--other=1"]);
        assert_eq!(parse(""), Ok(Options::default()));
    }

    #[test]
    fn names_what_is_wrong() {
        assert_eq!(parse("--svg"), Err(OptionsError::MissingValue("--svg")));
        assert_eq!(parse("--pcap"), Err(OptionsError::MissingValue("--pcap")));
        assert_eq!(parse("--seed"), Err(OptionsError::MissingValue("--seed")));
        assert_eq!(parse("--seed x"), Err(OptionsError::Seed("x".to_owned())));
    }
}
