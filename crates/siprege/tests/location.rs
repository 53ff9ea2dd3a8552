//! Location profiles: a real dial plan, what differs between .NET and here, SERVICE, and patterns that mean harm.

use std::borrow::Cow;

use ocs_sip_core::{Aor, HeaderName, Message, Method};
use ocs_siprege::location::{
    self, DialError, DialPlan, Dialled, LocationProfileDescription, Number, PatternError,
    PlanLimits, Profiles, Rule, handle_service, request_uri,
};
use ocs_xml::{Limits, from_slice, to_string};
use proptest::prelude::*;
use serde_json::Value;

const PROFILE: &str = include_str!("data/location/location-profile.xml");
const CASES: &str = include_str!("data/location/location-profile-cases.json");

fn profile() -> LocationProfileDescription {
    from_slice(PROFILE.as_bytes(), &Limits::default()).unwrap()
}

fn plan_of(rules: &[(&str, &str)]) -> DialPlan {
    let rules = rules.iter().map(|(pattern, to)| Rule::new(pattern, to));
    DialPlan::compile(
        &LocationProfileDescription::new("P", rules),
        &PlanLimits::default(),
    )
}

fn dialled(text: &str) -> Dialled {
    Dialled::parse(text).unwrap()
}

/// What one rule makes of a string; `None` when it does not match.
fn translate(pattern: &str, translation: &str, text: &str) -> Option<String> {
    let plan = plan_of(&[(pattern, translation)]);
    assert_eq!(
        plan.refused().map(|refused| refused.error.clone()).next(),
        None,
        "{pattern}"
    );
    let number = plan.normalize(&dialled(text));
    number.rule.map(|_| match number.extension {
        Some(extension) => format!("{};ext={extension}", number.digits),
        None => number.digits,
    })
}

fn refusal(pattern: &str, translation: &str) -> PatternError {
    let plan = plan_of(&[(pattern, translation)]);
    let refused = plan.refused().next();
    refused
        .unwrap_or_else(|| panic!("{pattern} is taken"))
        .error
        .clone()
}

#[test]
fn a_real_dial_plan() {
    let profile = profile();
    assert_eq!(profile.name, "Area999");
    assert_eq!(profile.external_access_prefix.as_deref(), Some("9"));
    assert_eq!(profile.optimize_device_dialing, Some(true));
    let plan = DialPlan::compile(&profile, &PlanLimits::default());
    assert_eq!(plan.refused().count(), 0);
    let cases: Value = serde_json::from_str(CASES).unwrap();
    let cases = cases["cases"].as_array().unwrap();
    assert!(cases.len() > 20);
    for case in cases {
        let text = case["dialled"].as_str().unwrap();
        let number = plan.normalize(&dialled(text));
        assert_eq!(
            number.rule.map(|rule| rule as u64 + 1),
            case["rule"].as_u64(),
            "{text}"
        );
        assert_eq!(
            number.request_uri("contoso.com"),
            case["request_uri"].as_str().unwrap(),
            "{text}"
        );
    }
}

#[test]
fn documents_round_trip() {
    let profile = profile();
    let text = to_string(&profile);
    let again: LocationProfileDescription =
        from_slice(text.as_bytes(), &Limits::default()).unwrap();
    assert_eq!(again, profile);
    assert_eq!(to_string(&again), text);
    // As a strict reading of the schema has it: only the root has a namespace.
    let local = format!(
        "<n:LocationProfileDescription xmlns:n=\"{}\"><Name>L</Name><Rule><Pattern>^1$</Pattern>\
         <Translation>+1</Translation><InternalEnterpriseExtension>true</InternalEnterpriseExtension>\
         </Rule><Later/></n:LocationProfileDescription>",
        location::NAMESPACE
    );
    let local: LocationProfileDescription =
        from_slice(local.as_bytes(), &Limits::default()).unwrap();
    assert_eq!(local.rules[0].internal_enterprise_extension, Some(true));
    assert_eq!(local.extra.elements().count(), 1);
    for broken in [
        "<LocationProfileDescription/>",
        "<LocationProfileDescription><Name>a</Name><Rule/></LocationProfileDescription>",
    ] {
        assert!(
            from_slice::<LocationProfileDescription>(broken.as_bytes(), &Limits::default())
                .is_err()
        );
    }
}

#[test]
fn what_is_dialled_is_cleaned() {
    for (text, cleaned) in [
        ("+1 (425) 555-0100", "+14255550100"),
        ("425.555/0100", "4255550100"),
        ("*67#", "*67#"),
        ("5550100 x 12", "5550100x12"),
        ("5550100 EXT. 12", "5550100x12"),
        ("5550100X12", "5550100x12"),
    ] {
        assert_eq!(dialled(text).as_str(), cleaned, "{text}");
    }
    for (text, error) in [
        ("", DialError::Empty),
        (" - ", DialError::Empty),
        ("+", DialError::Empty),
        ("1+2", DialError::Character('+')),
        ("bob", DialError::Character('b')),
        ("12x", DialError::Character('x')),
        ("x12", DialError::Character('x')),
        ("1x2x3", DialError::Character('x')),
        ("12e3", DialError::Character('e')),
        ("1;2", DialError::Character(';')),
        ("1\u{664}", DialError::Character('\u{664}')),
    ] {
        assert_eq!(Dialled::parse(text), Err(error), "{text}");
    }
    assert_eq!(Dialled::parse(&"1".repeat(129)), Err(DialError::TooLong));
}

#[test]
fn numbers_in_requests() {
    let uri = |text: &str| Number::untranslated(&dialled(text)).request_uri("contoso.com");
    assert_eq!(
        uri("+1 425 555 0100"),
        "sip:+14255550100@contoso.com;user=phone"
    );
    assert_eq!(
        uri("+14255550100 x12"),
        "sip:+14255550100;ext=12@contoso.com;user=phone"
    );
    assert_eq!(
        uri("2160"),
        "sip:2160;phone-context=dialstring@contoso.com;user=phone"
    );
    assert_eq!(
        uri("*67#"),
        "sip:*67%23;phone-context=dialstring@contoso.com;user=phone"
    );
    let profile = LocationProfileDescription::new("North America;x@y", []);
    let plan = DialPlan::compile(&profile, &PlanLimits::default());
    assert_eq!(
        plan.normalize(&dialled("2160")).request_uri("contoso.com"),
        "sip:2160;phone-context=North%20America%3Bx%40y@contoso.com;user=phone"
    );
}

#[test]
fn the_first_rule_that_matches_counts_once() {
    let plan = plan_of(&[(r"^(\d{4})$", "1$1"), (r"^(\d{4,5})$", "+$1")]);
    let number = plan.normalize(&dialled("2160"));
    assert_eq!((number.digits.as_str(), number.rule), ("12160", Some(0)));
    assert_eq!(number.context.as_deref(), Some("P"));
    assert_eq!(plan.normalize(&dialled("21600")).digits, "+21600");
    // E.164 is never translated.
    let plan = plan_of(&[(r"^\+(\d+)$", "+9$1")]);
    assert_eq!(plan.normalize(&dialled("+1425")).digits, "+1425");
}

#[test]
fn rules_for_extensions_inside_and_for_phones() {
    let mut inside = Rule::new(r"^(\d{5})$", "+1425555$1");
    inside.internal_enterprise_extension = Some(true);
    let mut device = Rule::new(r"^9(\d{4})$", "+1206555$1");
    device.applicable_for_device_dialing = Some(true);
    let mut profile = LocationProfileDescription::new("P", [inside, device]);
    let number = |profile: &LocationProfileDescription, text: &str| {
        DialPlan::compile(profile, &PlanLimits::default())
            .normalize(&dialled(text))
            .digits
    };
    assert_eq!(number(&profile, "91234"), "+142555591234");
    profile.external_access_prefix = Some("9".into());
    assert_eq!(number(&profile, "91234"), "+12065551234");
    assert_eq!(number(&profile, "81234"), "+142555581234");
    let plan = DialPlan::compile(&profile, &PlanLimits::default());
    assert_eq!(plan.normalize_so_far(&dialled("81234")), None);
    assert_eq!(plan.normalize_so_far(&dialled("9123")), None);
    assert_eq!(
        plan.normalize_so_far(&dialled("91234")).unwrap().digits,
        "+12065551234"
    );
}

#[test]
fn a_rule_in_doubt_leaves_it_to_the_server() {
    let plan = plan_of(&[
        (r"^(11\d)$", "+$1"),
        (r"^(\d)(?<=9)11$", "+$1"),
        (r"^(\d{3})$", "+1$1"),
    ]);
    assert_eq!(plan.refused().next().unwrap().index, 1);
    assert_eq!(plan.normalize(&dialled("112")).digits, "+112");
    let number = plan.normalize(&dialled("911"));
    assert_eq!((number.digits.as_str(), number.rule), ("911", None));
    // So does a result that is no number.
    let plan = plan_of(&[(r"^1$", "sip:bob@contoso.com"), (r"^1$", "+1")]);
    assert_eq!(plan.normalize(&dialled("1")).rule, None);
    let plan = plan_of(&[(r"^1$", "+1@evil.example;x="), (r"^1$", "+1")]);
    assert_eq!(plan.normalize(&dialled("1")).digits, "1");
}

#[test]
fn what_net_says_otherwise_is_rewritten() {
    // Look-aheads that stand first.
    assert_eq!(
        translate(r"^(?!911|112)(\d{3})$", "+1$1", "912").as_deref(),
        Some("+1912")
    );
    assert_eq!(translate(r"^(?!911|112)(\d{3})$", "+1$1", "911"), None);
    assert_eq!(
        translate(r"^(?=9)(?!91)(\d+)$", "+1$1", "925").as_deref(),
        Some("+1925")
    );
    assert_eq!(translate(r"^(?=9)(?!91)(\d+)$", "+1$1", "825"), None);
    let tricky = r"^(?![)]|\)|[^])2])(\d+)$";
    assert_eq!(translate(tricky, "+$1", "25").as_deref(), Some("+25"));
    assert_eq!(translate(tricky, "+$1", "35"), None);
    // Groups in them count.
    assert_eq!(
        translate(r"^(?!(900|976))(\d{3})$", "+1$2", "425").as_deref(),
        Some("+1425")
    );
    // Groups with names come behind those without.
    assert_eq!(
        translate(r"^(?<area>\d{2})(\d{2})$", "+$1$2", "1234").as_deref(),
        Some("+3412")
    );
    assert_eq!(
        translate(r"^(?'area'\d{2})(\d{2})$", "+${area}9$1", "1234").as_deref(),
        Some("+12934")
    );
    assert_eq!(
        translate(r"^(\d)(\d)$", "+${1}5$2", "12").as_deref(),
        Some("+152")
    );
    assert_eq!(
        translate(r"^\d(\d)$", "+1$&$0", "12").as_deref(),
        Some("+11212")
    );
    // Groups that took no part are empty.
    assert_eq!(
        translate(r"^(0)?(\d{2})$", "+4$1$2", "12").as_deref(),
        Some("+412")
    );
    // Comments, anchors, escapes.
    assert_eq!(
        translate(r"^(?#area)(\d+)\Z", "+$1", "12").as_deref(),
        Some("+12")
    );
    assert_eq!(
        translate(r"^\u002A\x36(\d)\#$", "$1", "*67#").as_deref(),
        Some("7")
    );
    // A brace that is no repetition, operators of classes.
    assert_eq!(translate(r"^1{,2}$", "2", "1"), None);
    assert_eq!(translate(r"^[0-9&&1]+$", "+1", "1").as_deref(), Some("+1"));
    assert_eq!(translate(r"^[][*]1$", "+1", "*1").as_deref(), Some("+1"));
    assert_eq!(
        translate(r"^[4,5,7]11$", "+1", "511").as_deref(),
        Some("+1")
    );
    assert_eq!(translate(r"^[^1-3\*]$", "+1", "4").as_deref(), Some("+1"));
    assert_eq!(translate(r"^[^1-3\*]$", "+1", "*"), None);
    // Options, and alternatives that prefer the first.
    assert_eq!(
        translate(r"^(?i)1X(\d)$", "+1$1", "1x2").as_deref(),
        Some("+12")
    );
    assert_eq!(
        translate(r"^(1|12)(\d*)$", "+$1$2", "123").as_deref(),
        Some("+123")
    );
    // What the pattern leaves stays.
    assert_eq!(
        translate("00", "1", "20032004").as_deref(),
        Some("21321 4".replace(' ', "").as_str())
    );
}

#[test]
fn what_automata_do_not_have_is_refused_by_name() {
    for (pattern, construct) in [
        (r"^\d(?<=1)$", "look-behind"),
        (r"^\d(?<!1)$", "look-behind"),
        (r"^\d(?=1)", "look-ahead that does not stand first"),
        (r"^((?!911)\d{3})$", "look-ahead that does not stand first"),
        (r"^(?=(9))\d$", "group in a look-ahead"),
        (r"^(?!9)+\d$", "repeated look-ahead"),
        (r"^(?!9)\d|1$", "look-ahead in one of several alternatives"),
        (r"^(\d)\1$", "reference to a group"),
        (r"^(?<a>\d)\k<a>$", "reference to a group"),
        (r"^(?>\d+)1$", "atomic group"),
        (r"^(\d)?(?(1)2|3)$", "conditional group"),
        (r"^(?<1>\d)$", "group with a number or a balance"),
        (r"^(?<a-b>\d)$", "group with a number or a balance"),
        (r"^[0-9-[5]]$", "subtraction of classes"),
        (r"^(?n)(\d)$", "option"),
        (r"^(?x) \d $", "option"),
        (r"^\p{Nd}$", "category of characters"),
        (r"\G1", "escape"),
        (r"^\07$", "escape"),
    ] {
        match refusal(pattern, "1") {
            PatternError::Unsupported {
                construct: found, ..
            } => {
                assert_eq!(found, construct, "{pattern}");
            }
            other => panic!("{pattern}: {other}"),
        }
    }
    for broken in [
        "(", "^(?!1", "[", "[^]", "**", "\\", "(?#", "(?i", "\\x1", "\\uD800", "1{2,1}", "(?<a",
    ] {
        assert!(
            matches!(
                refusal(broken, "1"),
                PatternError::Malformed(_) | PatternError::Unsupported { .. }
            ),
            "{broken}"
        );
    }
    for translation in ["$1", "$10", "${a}", "${1", "$", "$_", "$+", "$`", "$x"] {
        assert!(
            matches!(refusal("^1$", translation), PatternError::Reference(_)),
            "{translation}"
        );
    }
    assert_eq!(
        refusal(r"^(\d)(?<=1)$", "1").to_string(),
        "look-behind at 5 is not supported"
    );
}

#[test]
fn patterns_that_mean_harm() {
    // Backtracking would never end here.
    let text = "1".repeat(100);
    assert_eq!(translate(r"^(1+)+$", "2", &format!("{text}*")), None);
    assert_eq!(translate(r"^(1|1)*2$", "2", &text), None);
    for pattern in [r"^\d{1000}{1000}$", r"^((((\d{50}){50}){50}){50})$"] {
        assert!(
            matches!(
                refusal(pattern, "1"),
                PatternError::TooLarge { .. } | PatternError::Malformed(_)
            ),
            "{pattern}"
        );
    }
    let nested = format!("{}1{}", "(".repeat(200), ")".repeat(200));
    assert!(matches!(refusal(&nested, "1"), PatternError::Malformed(_)));
    assert_eq!(
        refusal(&"1".repeat(1025), "1"),
        PatternError::TooLong { limit: 1024 }
    );
    assert_eq!(
        refusal("1", &"1".repeat(1025)),
        PatternError::TooLong { limit: 1024 }
    );
    // A translation that grows with each match.
    let plan = plan_of(&[("1", &"1".repeat(1000))]);
    assert_eq!(plan.normalize(&dialled(&text)).rule, None);

    let rules = (0..1001).map(|n| Rule::new(&format!("^{n}$"), "+1"));
    let plan = DialPlan::compile(
        &LocationProfileDescription::new("P", rules),
        &PlanLimits::default(),
    );
    let refused = plan.refused().next().unwrap();
    assert_eq!(
        (refused.index, refused.error),
        (1000, &PatternError::TooMany { limit: 1000 })
    );
    assert_eq!(plan.normalize(&dialled("999")).rule, Some(999));
    assert_eq!(plan.normalize(&dialled("1000")).rule, None);
}

struct Pool;

impl Profiles for Pool {
    fn knows(&self, aor: &Aor) -> bool {
        aor.user() != "nobody"
    }

    fn assigned(&self, aor: &Aor) -> Option<Cow<'_, LocationProfileDescription>> {
        (aor.user() == "alice").then(|| Cow::Owned(profile()))
    }

    fn named(&self, name: &str) -> Option<Cow<'_, LocationProfileDescription>> {
        (name == "Area 999").then(|| Cow::Owned(profile()))
    }
}

fn service(uri: &str) -> Message {
    Message::request(Method::Service, uri)
        .with(HeaderName::Via, "SIP/2.0/TLS 192.0.2.1:27221")
        .with(
            HeaderName::From,
            "<sip:alice@contoso.com>;tag=1;epid=01010101",
        )
        .with(HeaderName::To, &format!("<{uri}>"))
        .with(HeaderName::CallId, "a")
        .with(HeaderName::CSeq, "1 SERVICE")
}

#[test]
fn over_service() {
    let aor = |text: &str| -> Aor { text.parse().unwrap() };
    let ask = |uri: &str| handle_service(&Pool, &service(uri), "77");
    let alice = request_uri(&aor("alice@contoso.com"), None);
    assert_eq!(
        alice,
        "sip:alice@contoso.com;gruu;opaque=app:locationprofile:get;default"
    );
    let answer = ask(&alice).unwrap();
    assert_eq!(answer.status(), Some(200));
    assert_eq!(answer.to_header().unwrap().tag(), Some("77"));
    let found = location::answer_of(&answer, &Limits::default())
        .unwrap()
        .unwrap();
    assert_eq!(found, profile());

    let named = request_uri(&aor("bob@contoso.com"), Some("Area 999"));
    assert_eq!(
        named,
        "sip:bob@contoso.com;gruu;opaque=app:locationprofile:get;phone-context=Area%20999"
    );
    assert_eq!(ask(&named).unwrap().status(), Some(200));
    let status = |uri: &str| ask(uri).and_then(|answer| answer.status());
    assert_eq!(
        status(&request_uri(&aor("nobody@contoso.com"), None)),
        Some(404)
    );
    assert_eq!(
        status(&request_uri(&aor("bob@contoso.com"), None)),
        Some(404)
    );
    assert_eq!(
        status(&request_uri(&aor("bob@contoso.com"), Some("x"))),
        Some(404)
    );
    assert_eq!(
        status("sip:bob@contoso.com;gruu;opaque=app:locationprofile:get"),
        Some(485)
    );
    // Other services are not its business.
    assert_eq!(ask("sip:alice@contoso.com"), None);
    assert_eq!(
        ask("sip:alice@contoso.com;gruu;opaque=app:conf:focusfactory"),
        None
    );
    let refused = ask(&request_uri(&aor("nobody@contoso.com"), None)).unwrap();
    assert!(location::answer_of(&refused, &Limits::default()).is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_pattern_and_no_string_does_harm(
        pattern in r"[\^$()\[\]{}?*+|\\<>=!:#'\-.,0-9dDwxuabkpZi&~]{0,24}",
        translation in r"[$+{}&0-9a]{0,8}",
        text in "[0-9*#+x() -]{1,30}",
    ) {
        let plan = plan_of(&[(&pattern, &translation)]);
        if let Ok(text) = Dialled::parse(&text) {
            let number = plan.normalize(&text);
            prop_assert!(number.digits.bytes().all(|c| c.is_ascii_digit() || b"+*#".contains(&c)));
            let uri = number.request_uri("contoso.com");
            prop_assert!(ocs_sip_core::uri::SipUri::parse(&uri).is_ok(), "{}", uri);
        }
    }

    #[test]
    fn profiles_round_trip(
        name in "[!-~][ -~]{0,20}",
        rules in proptest::collection::vec(("[ -~]{0,20}", "[ -~]{0,20}", any::<Option<bool>>()), 0..5),
        prefix in proptest::option::of("[0-9*#]{1,4}"),
    ) {
        let mut profile = LocationProfileDescription::new(
            &name,
            rules.iter().map(|(pattern, translation, inside)| {
                let mut rule = Rule::new(pattern, translation);
                rule.internal_enterprise_extension = *inside;
                rule
            }),
        );
        profile.external_access_prefix = prefix.map(Into::into);
        let text = to_string(&profile);
        let again: LocationProfileDescription = from_slice(text.as_bytes(), &Limits::default()).unwrap();
        prop_assert_eq!(&again, &profile);
        prop_assert_eq!(to_string(&again), text);
    }
}
