//! Shows the presence of contacts while it changes, and changes one's own.
//!
//! ```text
//! cargo run --example presence_watch -- --user alice@contoso.com --password Passw0rd --server 127.0.0.1:15060 --tcp
//! add bob@contoso.com
//! note In the laboratory
//! busy
//! ```
//!
//! Commands: `available`, `busy`, `dnd`, `back-soon`, `away`, `note TEXT`, `add NAME@DOMAIN`, `remove NAME@DOMAIN`, `watch NAME@DOMAIN`, `quit`.
//! The end of the input is the same as `quit`.

use std::error::Error;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use ocs_client::{Bootstrap, Event, UserAgent};
use ocs_examples::chat::{Account, printable, typed_lines};
use ocs_examples::net::{Happening, Session, exit_code, log_to_stderr};
use ocs_pres::category::Availability;
use ocs_sip_core::Aor;
use ocs_siprege::contacts::GroupSet;

/// Watches contacts of the Skype for Business system.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(flatten)]
    account: Account,
    /// What to log, as `debug`
    #[arg(long, env = "RUST_LOG", default_value = "warn", value_name = "FILTER")]
    log: String,
}

/// A line of the input.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Command {
    State(Availability),
    Note(String),
    Add(Aor),
    Remove(Aor),
    Watch(Aor),
    Quit,
    Wrong(String),
}

impl Command {
    fn parse(line: &str) -> Self {
        let (word, rest) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
        let user = |make: fn(Aor) -> Self| match rest.trim().parse() {
            Ok(user) => make(user),
            Err(error) => Self::Wrong(format!("{rest}: {error}")),
        };
        match word {
            "available" => Self::State(Availability::AVAILABLE),
            "busy" => Self::State(Availability::BUSY),
            "dnd" => Self::State(Availability::DO_NOT_DISTURB),
            "back-soon" => Self::State(Availability::BE_RIGHT_BACK),
            "away" => Self::State(Availability::AWAY),
            "note" => Self::Note(rest.to_owned()),
            "add" => user(Self::Add),
            "remove" => user(Self::Remove),
            "watch" => user(Self::Watch),
            "quit" => Self::Quit,
            _ => Self::Wrong(format!("no such command: {word}")),
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    exit_code("presence_watch", run(Arguments::parse()).await)
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    log_to_stderr(&arguments.log)?;
    let mut session = arguments.account.session_with(Bootstrap::default())?;
    session.command(UserAgent::sign_in).await;
    let mut lines = None;
    let mut leaving = false;
    loop {
        let line = async {
            match &mut lines {
                Some(lines) => next(lines).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            happening = session.next() => match happening.ok_or("the session is over")? {
                Happening::Event(Event::SignedOut) => break,
                Happening::Event(Event::SignInFailed(failure)) => return Err(failure.into()),
                Happening::Event(Event::Bootstrapped) => {
                    println!("* signed in as {}", arguments.account.user);
                    // Lines are read once they can be carried out.
                    lines.get_or_insert_with(|| {
                        typed_lines(|line| match line {
                            Ok(line) => Command::parse(&line),
                            Err(error) => Command::Wrong(error.to_string()),
                        })
                    });
                }
                Happening::Event(event) => show(&event),
                Happening::ConnectFailed(failed) => eprintln!("{failed}"),
            },
            command = line, if !leaving => match command {
                Command::Quit => {
                    leaving = true;
                    session.command(UserAgent::sign_out).await;
                }
                Command::Wrong(reason) => println!("! {reason}"),
                command => carry_out(&session, command).await,
            },
            _ = tokio::signal::ctrl_c() => {
                leaving = true;
                session.command(UserAgent::sign_out).await;
            }
        }
    }
    println!("* signed out");
    Ok(())
}

async fn next(lines: &mut tokio::sync::mpsc::Receiver<Command>) -> Command {
    lines.recv().await.unwrap_or(Command::Quit)
}

async fn carry_out(session: &Session, command: Command) {
    let done = session.command(move |agent, now| act(agent, now, command));
    if let Some(Err(error)) = done.await {
        println!("! {error}");
    }
}

fn act(agent: &mut UserAgent, now: Instant, command: Command) -> Result<(), ocs_client::Error> {
    match command {
        Command::State(availability) => agent.set_presence(now, availability, None).map(drop),
        Command::Note(text) => agent.set_note(now, &text).map(drop),
        Command::Add(user) => agent
            .add_contact(now, &user, "", GroupSet::default())
            .map(drop),
        Command::Remove(user) => agent.remove_contact(now, &user).map(drop),
        Command::Watch(user) => {
            agent.watch(now, &user);
            Ok(())
        }
        Command::Quit | Command::Wrong(_) => Ok(()),
    }
}

/// Prints what happened.
fn show(event: &Event) {
    match event {
        Event::PresenceChanged {
            of, state, note, ..
        } => {
            let state = state.as_deref().cloned().unwrap_or_default();
            let text = state.text(1033);
            match note.as_deref().filter(|note| !note.is_empty()) {
                Some(note) => println!("{of}: {}, \"{}\"", printable(text), printable(note)),
                None => println!("{of}: {}", printable(text)),
            }
        }
        Event::ContactsChanged(change) => println!("* contacts: {change:?}"),
        Event::ContactsWritten { .. } => println!("* contacts written"),
        Event::PresenceWritten { .. } => println!("* presence written"),
        Event::StepRefused {
            step,
            status,
            reason,
        } => println!("! {step:?} refused: {status} {}", printable(reason)),
        Event::Reconnecting { .. } => println!("* connection lost"),
        _ => {}
    }
}
