//! A dial plan at work.

use std::fmt::Write;

use ocs_xml::SmolStr;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::pattern::Pattern;
use super::translation::{Groups, Translation};
use super::{DIALSTRING, Dialled, LocationProfileDescription, PatternError, Rule};

/// Bounds of a dial plan. They hold for profiles of a peer; memory and time are linear in their product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlanLimits {
    /// Rules. Default 1,000.
    pub rules: usize,
    /// Octets of a pattern, and of a translation. Default 1,024.
    pub pattern: usize,
    /// Octets of a compiled pattern, and of what its automaton keeps. Default 64 KiB.
    pub compiled: usize,
}

impl Default for PlanLimits {
    fn default() -> Self {
        Self {
            rules: 1000,
            pattern: 1024,
            compiled: 64 * 1024,
        }
    }
}

/// A rule that could not be compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused<'a> {
    /// Its place among the rules of the profile.
    pub index: usize,
    /// Why.
    pub error: &'a PatternError,
}

#[derive(Debug, Clone)]
struct Compiled {
    parts: Result<(Pattern, Translation), PatternError>,
    /// For extensions inside.
    internal: bool,
    /// Takes part in dialling digit by digit.
    device: bool,
}

/// The rules of a profile, compiled (\[MS-OCPSTN\] 3.2).
///
/// ```
/// use ocs_siprege::location::{DialPlan, Dialled, LocationProfileDescription, PlanLimits, Rule};
///
/// let profile = LocationProfileDescription::new(
///     "Redmond",
///     [Rule::new(r"^(\d{4})$", "+1425555$1"), Rule::new(r"^9(?!11)(\d{10})$", "+1$1")],
/// );
/// let plan = DialPlan::compile(&profile, &PlanLimits::default());
/// // The second rule has a look-ahead that does not stand first.
/// assert_eq!(plan.refused().next().unwrap().index, 1);
///
/// let number = plan.normalize(&Dialled::parse("0100")?);
/// assert_eq!(number.request_uri("contoso.com"), "sip:+14255550100@contoso.com;user=phone");
/// // Where a rule is in doubt the server decides.
/// let number = plan.normalize(&Dialled::parse("9 425 555 0100")?);
/// assert_eq!(number.request_uri("contoso.com"), "sip:94255550100;phone-context=Redmond@contoso.com;user=phone");
/// # Ok::<(), ocs_siprege::location::DialError>(())
/// ```
#[derive(Debug, Clone)]
pub struct DialPlan {
    name: SmolStr,
    prefix: Option<SmolStr>,
    rules: Vec<Compiled>,
}

impl DialPlan {
    /// Compiles the rules of a profile. A rule that cannot be compiled does not spoil the others: see [`refused`](Self::refused).
    #[must_use]
    pub fn compile(profile: &LocationProfileDescription, limits: &PlanLimits) -> Self {
        let mut rules: Vec<Compiled> = profile
            .rules
            .iter()
            .take(limits.rules)
            .map(|rule| Compiled {
                parts: compile(rule, limits),
                internal: rule.internal_enterprise_extension == Some(true),
                device: rule.applicable_for_device_dialing == Some(true),
            })
            .collect();
        if profile.rules.len() > limits.rules {
            rules.push(Compiled {
                parts: Err(PatternError::TooMany {
                    limit: limits.rules,
                }),
                internal: false,
                device: false,
            });
        }
        Self {
            name: profile.name.clone(),
            prefix: profile
                .external_access_prefix
                .clone()
                .filter(|prefix| !prefix.is_empty()),
            rules,
        }
    }

    /// Name of the profile.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The rules that could not be compiled.
    pub fn refused(&self) -> impl Iterator<Item = Refused<'_>> {
        self.rules.iter().enumerate().filter_map(|(index, rule)| {
            let error = rule.parts.as_ref().err()?;
            Some(Refused { index, error })
        })
    }

    /// What a complete dialled string becomes. A number of E.164 stays what it is; else the first rule that matches translates it, once
    /// (the order is recalled). Where none does the string stays as it was, for the server to translate with this profile. A number of
    /// E.164 with an extension goes through the rules, since real profiles have rules for it, but is one without them too.
    ///
    /// A rule that could not be compiled ends the search: it might have matched, and a later one would say something else than the server.
    #[must_use]
    pub fn normalize(&self, dialled: &Dialled) -> Number {
        self.search(dialled, false)
            .or_else(|| Number::global(dialled, None))
            .unwrap_or_else(|| Number::local(dialled, self.name.clone()))
    }

    /// What the digits that were dialled so far on a phone off hook become, if a rule for dialling digit by digit matches already (inferred).
    #[must_use]
    pub fn normalize_so_far(&self, dialled: &Dialled) -> Option<Number> {
        self.search(dialled, true)
    }

    fn search(&self, dialled: &Dialled, device: bool) -> Option<Number> {
        if let Some(number) = Number::global(dialled, None)
            && number.extension.is_none()
        {
            return Some(number);
        }
        let outside = self
            .prefix
            .as_deref()
            .is_some_and(|prefix| dialled.as_str().starts_with(prefix));
        let applies = |rule: &Compiled| !(rule.internal && outside) && (rule.device || !device);
        for (index, rule) in self.rules.iter().enumerate() {
            let Ok((pattern, translation)) = &rule.parts else {
                return None;
            };
            if !applies(rule) {
                continue;
            }
            if let Some(result) = replace(pattern, translation, dialled.as_str()) {
                // A result that is no number is no translation.
                let result = Dialled::parse(&result.replace(";ext=", "x")).ok()?;
                return Number::global(&result, Some(index)).or_else(|| {
                    let mut number = Number::local(&result, self.name.clone());
                    number.rule = Some(index);
                    Some(number)
                });
            }
        }
        None
    }
}

fn compile(rule: &Rule, limits: &PlanLimits) -> Result<(Pattern, Translation), PatternError> {
    if rule.pattern.len() > limits.pattern || rule.translation.len() > limits.pattern {
        return Err(PatternError::TooLong {
            limit: limits.pattern,
        });
    }
    let pattern = Pattern::compile(rule.pattern.trim_ascii(), limits.compiled)?;
    let groups = Groups::new(pattern.hidden, pattern.regex.capture_names());
    let translation = Translation::parse(rule.translation.trim_ascii(), &groups)?;
    Ok((pattern, translation))
}

/// Puts the translation in the place of all that the pattern matches, as `Regex.Replace` of .NET does (inferred: patterns are anchored in
/// practice). `None` if it matches nothing.
fn replace(pattern: &Pattern, translation: &Translation, text: &str) -> Option<String> {
    if !pattern.admits(text) {
        return None;
    }
    let mut out = None;
    let mut done = 0;
    for captures in pattern.regex.captures_iter(text.as_bytes()) {
        let found = captures.get_match();
        let out: &mut String = out.get_or_insert_default();
        out.push_str(text.get(done..found.start()).unwrap_or_default());
        translation.expand(&captures, out);
        done = found.end();
        if out.len() > Dialled::MAX_LEN {
            break;
        }
    }
    let mut out = out?;
    out.push_str(text.get(done..).unwrap_or_default());
    Some(out)
}

/// A number as it goes into a request.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Number {
    /// With a leading `+` for E.164; else digits, `*` and `#`.
    pub digits: String,
    /// Its extension.
    pub extension: Option<String>,
    /// For other than E.164: the location profile that translates it, or [`DIALSTRING`].
    pub context: Option<SmolStr>,
    /// The rule that translated it: its place in the profile.
    pub rule: Option<usize>,
}

impl Number {
    /// A string that no profile is known for.
    #[must_use]
    pub fn untranslated(dialled: &Dialled) -> Self {
        Self::global(dialled, None).unwrap_or_else(|| Self::local(dialled, DIALSTRING.into()))
    }

    fn global(dialled: &Dialled, rule: Option<usize>) -> Option<Self> {
        let (digits, extension) = dialled.e164()?;
        Some(Self {
            digits: digits.to_owned(),
            extension: extension.map(str::to_owned),
            context: None,
            rule,
        })
    }

    fn local(dialled: &Dialled, context: SmolStr) -> Self {
        let text = dialled.as_str();
        let (digits, extension) = match text.split_once('x') {
            Some((digits, extension)) => (digits, Some(extension.to_owned())),
            None => (text, None),
        };
        Self {
            digits: digits.to_owned(),
            extension,
            context: Some(context),
            rule: None,
        }
    }

    /// The Request-URI and To of a call by a user of this domain (\[MS-OCPSTN\] 3.2 steps 4 and 5).
    #[must_use]
    pub fn request_uri(&self, domain: &str) -> String {
        let mut uri = String::from("sip:");
        // Writing to a String cannot fail.
        let _ = write!(uri, "{}", escape(&self.digits));
        if let Some(extension) = &self.extension {
            let _ = write!(uri, ";ext={}", escape(extension));
        }
        if let Some(context) = &self.context {
            let _ = write!(uri, ";phone-context={}", escape(context));
        }
        let _ = write!(uri, "@{domain};user=phone");
        uri
    }
}

/// What stands unescaped in a number and in the name of a profile.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'*')
    .remove(b'(')
    .remove(b')');

pub(super) fn escape(text: &str) -> impl std::fmt::Display + '_ {
    utf8_percent_encode(text, ESCAPED)
}
