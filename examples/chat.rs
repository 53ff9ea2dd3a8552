//! A chat client for the terminal, or for scripts: signs in to a server of the Skype for Business system, reads lines, prints what
//! happens.
//!
//! ```text
//! cargo run --example chat -- --user alice@contoso.com --password Passw0rd --server 127.0.0.1:15060 --tcp
//! bob@contoso.com: Hi Bob
//! /to bob@contoso.com
//! How are you?
//! /typing   /end   /quit
//! ```
//!
//! The end of the input is the same as `/quit`: waits until it is known what became of the texts, then signs out.

use std::collections::HashSet;
use std::error::Error;

use clap::Parser;
use ocs_client::{Event, TextId};
use ocs_examples::chat::{Account, Line, printable};
use ocs_examples::net::{Happening, Session};
use ocs_sip_core::Aor;
use tracing_subscriber::EnvFilter;

/// Chats with users of the Skype for Business system.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(flatten)]
    account: Account,
    /// What to log on standard error, as `debug`
    #[arg(long, env = "RUST_LOG", default_value = "warn", value_name = "FILTER")]
    log: String,
}

/// The state of the terminal.
#[derive(Default)]
struct Chat {
    /// Whom lines without a name go to.
    to: Option<Aor>,
    /// Texts that nobody knows of whether they arrived.
    pending: HashSet<TextId>,
    /// The input is at its end.
    done: bool,
    leaving: bool,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_new(&arguments.log)?)
        .with_writer(std::io::stderr)
        .init();
    let mut session = arguments.account.session()?;
    session.command(|agent, now| agent.sign_in(now)).await;
    let mut lines = None;
    let mut chat = Chat::default();
    loop {
        let line = async {
            match &mut lines {
                Some(lines) => Line::next(lines).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            happening = session.next() => match happening.ok_or("the session is over")? {
                // Lines are read once they can be sent.
                Happening::Event(Event::SignedIn { .. }) => {
                    println!("* signed in as {}", arguments.account.user);
                    lines.get_or_insert_with(Line::read_all);
                }
                Happening::Event(Event::SignedOut) => break,
                Happening::Event(Event::SignInFailed(failure)) => return Err(failure.into()),
                Happening::Event(event) => chat.print(event),
                Happening::ConnectFailed { host, address, error } => {
                    eprintln!("cannot connect to {host} ({address}): {error}");
                }
            },
            line = line, if !chat.done => chat.handle_line(&session, line).await,
            _ = tokio::signal::ctrl_c() => (chat.done, _) = (true, chat.pending.clear()),
        }
        if chat.done && chat.pending.is_empty() && !chat.leaving {
            chat.leaving = true;
            session.command(|agent, now| agent.sign_out(now)).await;
        }
    }
    println!("* signed out");
    Ok(())
}

impl Chat {
    async fn handle_line(&mut self, session: &Session, line: Line) {
        match line {
            Line::Text(to, text) => match to.or_else(|| self.to.clone()) {
                Some(to) => {
                    let sent = session.command(move |agent, now| agent.send_text(now, &to, &text));
                    match sent.await {
                        Some(Ok(id)) => _ = self.pending.insert(id),
                        Some(Err(error)) => println!("! not sent: {error}"),
                        None => {}
                    }
                }
                None => {
                    println!("! to whom? write `name@domain: text`, or `/to name@domain` before")
                }
            },
            Line::To(aor) => self.to = Some(aor),
            Line::Typing => {
                let Some(to) = self.to.clone() else { return };
                let typing = session.command(move |agent, now| agent.set_typing(now, &to, true));
                if let Some(Err(error)) = typing.await {
                    println!("! {error}");
                }
            }
            Line::End => {
                let Some(with) = self.to.clone() else { return };
                let end = session.command(move |agent, now| agent.end_conversation(now, &with));
                end.await;
            }
            Line::Quit => self.done = true,
            Line::Empty => {}
            Line::Wrong(reason) => println!("! {reason}"),
        }
    }

    fn print(&mut self, event: Event) {
        match event {
            Event::Text { from, text, .. } => println!("{from}: {}", printable(&text)),
            Event::Typing { from, active: true } => println!("* {from} is typing"),
            Event::ConversationStarted { with } => {
                println!("* conversation with {with}");
                self.to.get_or_insert(with);
            }
            Event::ConversationEnded { with, elsewhere } => {
                let place = if elsewhere { " elsewhere" } else { "" };
                println!("* conversation with {with} ended{place}");
            }
            Event::Delivered { to, id } => {
                self.pending.remove(&id);
                println!("* delivered to {to}");
            }
            Event::NotDelivered { to, id, reason, .. } => {
                self.pending.remove(&id);
                println!("! not delivered to {to}: {}", printable(&reason));
            }
            Event::Registration { event, reason } => {
                let reason = reason.unwrap_or_default();
                println!("* the server says: {event:?} {}", printable(&reason));
            }
            Event::Reconnecting { .. } => println!("* not connected, trying again"),
            _ => {}
        }
    }
}
