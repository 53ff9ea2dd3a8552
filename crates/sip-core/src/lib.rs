//! SIP of the Skype for Business system: messages, headers, URIs, stream framing, transactions, dialogs, subscriptions
#![forbid(unsafe_code)]
