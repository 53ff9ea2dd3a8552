//! The presence server's model, without SIP: who publishes what, and who may see it.
//!
//! A [`Presentity`] holds all presence of one user. Requests change it ([`publish`](Presentity::publish),
//! [`set_container_members`](Presentity::set_container_members), [`set_subscribers`](Presentity::set_subscribers),
//! [`set_delegates`](Presentity::set_delegates)), as do time ([`handle_timeout`](Presentity::handle_timeout)) and the coming and
//! going of endpoints. Every change is either refused whole ([`Refusal`]) or made whole, and then described by [`Changes`]:
//!
//! - [`Changes::own`] is what the user's own endpoints are to be told: [`Presentity::own_document`] makes the document.
//! - what others can see of it goes to them by [`Watchers::fan_out`], each document written once for all who get the same.
//!
//! # What watchers see
//!
//! A watcher is in one container ([`Presentity::container_of`]) and sees what is there, and nothing else: never the containers that
//! are the owner's alone, nor `routing` and `dndState`, nor versions, containers, endpoints or lifetimes. Who is in
//! [`ContainerId::BLOCKED`](crate::doc::ContainerId::BLOCKED) is told nothing that depends on whether the user is there: instances without
//! data look like none, a value that is published anew looks untouched, and nothing falls back to another container.

mod aggregate;
mod changes;
mod delegates;
mod instances;
mod membership;
mod persist;
mod policy;
mod presentity;
mod publish;
mod refusal;
mod subscribers;
mod view;
mod watchers;

pub use aggregate::{Aggregate, Aggregated, Inputs, Source};
pub use changes::{Changes, OwnChange};
pub use membership::Watcher;
pub use policy::{Limits, Policy};
pub use presentity::{Presentity, Sender};
pub use publish::Published;
pub use refusal::Refusal;
pub use view::Parts;
pub use watchers::{NameSet, SubscriptionId, Watchers};
