//! A chat client for the terminal, or for scripts: signs in, reads lines, prints what happens.
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

use std::collections::HashMap;
use std::error::Error;
use std::process::ExitCode;

use clap::Parser;
use ocs_client::{Event, TextId, UserAgent};
use ocs_examples::chat::{Account, Line, describe};
use ocs_examples::net::{Happening, Session, exit_code, log_to_stderr};
use ocs_sip_core::Aor;

/// Chats with users of the Skype for Business system.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(flatten)]
    account: Account,
    /// What to log, as `debug`
    #[arg(long, env = "RUST_LOG", default_value = "warn", value_name = "FILTER")]
    log: String,
}

/// The state of the terminal.
#[derive(Default)]
struct Chat {
    /// Whom lines without a name go to.
    to: Option<Aor>,
    /// Texts that nobody knows of whether they arrived.
    pending: HashMap<TextId, Aor>,
    done: bool,
    leaving: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    exit_code("chat", run(Arguments::parse()).await)
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    log_to_stderr(&arguments.log)?;
    let mut session = arguments.account.session()?;
    session.command(UserAgent::sign_in).await;
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
                Happening::Event(event) => chat.handle_event(&event),
                Happening::ConnectFailed(failed) => eprintln!("{failed}"),
            },
            line = line, if !chat.done => chat.handle_line(&session, line).await,
            _ = tokio::signal::ctrl_c() => {
                chat.done = true;
                chat.pending.clear();
            }
        }
        if chat.done && chat.pending.is_empty() && !chat.leaving {
            chat.leaving = true;
            session.command(UserAgent::sign_out).await;
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
                    self.to = Some(to.clone());
                    let with = to.clone();
                    let sent =
                        session.command(move |agent, now| agent.send_text(now, &with, &text));
                    match sent.await {
                        Some(Ok(id)) => _ = self.pending.insert(id, to),
                        Some(Err(error)) => println!("! not sent: {error}"),
                        None => {}
                    }
                }
                None => println!("! to whom? `/to name@domain` tells"),
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
                let Some(to) = self.to.clone() else { return };
                let end = session.command(move |agent, now| agent.end_conversation(now, &to));
                end.await;
            }
            Line::Quit => self.done = true,
            Line::Empty => {}
            Line::Wrong(reason) => println!("! {reason}"),
        }
    }

    fn handle_event(&mut self, event: &Event) {
        if let Some(line) = describe(event) {
            println!("{line}");
        }
        match event {
            Event::ConversationStarted { with } if self.to.is_none() => {
                self.to = Some(with.clone());
            }
            Event::Delivered { id, .. } | Event::NotDelivered { id, .. } => {
                self.pending.remove(id);
            }
            // Nobody tells any more what became of them.
            Event::ConversationEnded { with, .. } => self.pending.retain(|_, to| to != with),
            _ => {}
        }
    }
}
