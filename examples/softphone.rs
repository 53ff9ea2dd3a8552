//! A telephone for the terminal, or for scripts: signs in, calls or waits to be called, says a recording, and writes down what it hears.
//!
//! ```text
//! cargo run --example softphone -- --user bob@contoso.com --password Passw0rd --server 127.0.0.1:15060 --tcp --record heard.wav
//! cargo run --example softphone -- --user alice@contoso.com --password Passw0rd --server 127.0.0.1:15060 --tcp --call bob@contoso.com --play said.wav
//! ```
//!
//! Recordings are WAV files of 8,000 samples of 16 bits a second. The sound is G.711, so that a recording whose samples are values of G.711 arrives sample
//! for sample. Without `--play` it says a tone. Who called hangs up after `--seconds`, or when both sides have nothing more to say.

use std::error::Error;
use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use ocs_client::phone::{Config, Event, LineId};
use ocs_client::{Bootstrap, Event as AgentEvent, UserAgent};
use ocs_examples::audio::{read_wav, write_wav};
use ocs_examples::chat::Account;
use ocs_examples::net::{News, Sockets, Telephone, exit_code, log_to_stderr};
use ocs_examples::talk::{Speech, Talk, Talks};
use ocs_examples::{Caller, Manner};
use ocs_sdpext::codec::Codec;
use ocs_sip_core::Aor;

/// Nobody says anything any more after so long.
const SILENCE: Duration = Duration::from_millis(500);

/// Calls users of the Skype for Business system, and is called.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(flatten)]
    account: Account,
    /// Whom to call; without it the telephone waits to be called
    #[arg(long, value_name = "NAME@DOMAIN")]
    call: Option<Aor>,
    /// What to say
    #[arg(long, value_name = "WAV")]
    play: Option<PathBuf>,
    /// Where to write down what is heard
    #[arg(long, value_name = "WAV")]
    record: Option<PathBuf>,
    /// Hangs up so long after the call is answered
    #[arg(long)]
    seconds: Option<u64>,
    /// The address for media; the one from which the server is reached if absent
    #[arg(long, value_name = "IP")]
    address: Option<IpAddr>,
    /// Ends after one call, also when called
    #[arg(long)]
    once: bool,
    /// What to log, as `debug`
    #[arg(long, env = "RUST_LOG", default_value = "warn", value_name = "FILTER")]
    log: String,
}

#[tokio::main]
async fn main() -> ExitCode {
    exit_code("softphone", run(Arguments::parse()).await)
}

/// The address from which another one is reached. Nothing is sent for that.
fn address_toward(server: Option<&str>) -> IpAddr {
    let server = server.and_then(|server| server.to_socket_addrs().ok()?.next());
    let anywhere = SocketAddr::from(([192, 0, 2, 1], 9));
    let find = |to: SocketAddr| {
        let any: IpAddr = match to {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::UNSPECIFIED.into(),
        };
        let socket = UdpSocket::bind((any, 0))?;
        socket.connect(to)?;
        Ok::<_, std::io::Error>(socket.local_addr()?.ip())
    };
    find(server.unwrap_or(anywhere)).unwrap_or(Ipv4Addr::LOCALHOST.into())
}

/// What is said on streams of G.711.
fn talks(play: Option<Vec<i16>>) -> Talks {
    Talks::new(move |negotiated| {
        let used = negotiated.formats.first()?;
        let law = match used.codec {
            Codec::Pcmu => ocs_examples::audio::Law::Mu,
            Codec::Pcma => ocs_examples::audio::Law::A,
            _ => return None,
        };
        Some(Talk::Speech(Box::new(match &play {
            Some(samples) => Speech::recording(law, used.send, samples),
            None => Speech::tone(law, used.send),
        })))
    })
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    log_to_stderr(&arguments.log)?;
    let play = match &arguments.play {
        Some(path) => Some(read_wav(BufReader::new(File::open(path)?))?),
        None => None,
    };
    let bootstrap = Bootstrap {
        provisioning: true,
        media_relay: true,
        ..Bootstrap::none()
    };
    let (mut config, network) = arguments.account.configuration(bootstrap)?;
    config.calls.accept = true;
    let address = arguments
        .address
        .unwrap_or_else(|| address_toward(arguments.account.server()));
    let (ports, sockets) = Sockets::new(address);
    let caller = Caller::new(Manner::Answers(Duration::ZERO), ports, talks(play));
    let mut phone = Config::default();
    if address.is_loopback() {
        // Whom the user sends there himself is meant.
        phone.media = |mut config| {
            config.ice.allow_loopback = true;
            config
        };
    }
    let telephone = Telephone::new(config, phone, network, sockets, caller)?;
    Softphone {
        telephone: Box::new(telephone),
        arguments,
        line: None,
        hang_up: None,
        leaving: false,
    }
    .run()
    .await
}

/// The telephone with its one call.
struct Softphone {
    telephone: Box<Telephone<Caller>>,
    arguments: Arguments,
    line: Option<LineId>,
    /// When the call is to end.
    hang_up: Option<Instant>,
    leaving: bool,
}

impl Softphone {
    async fn run(mut self) -> Result<(), Box<dyn Error>> {
        self.telephone
            .command(|now, phone, _| phone.command(now, |agent| agent.sign_in(now)));
        let mut look = tokio::time::interval(Duration::from_millis(100));
        loop {
            tokio::select! {
                news = self.telephone.next() => match news {
                    News::Event(event) => {
                        if matches!(*event, Event::Agent(AgentEvent::SignedOut)) {
                            return Ok(());
                        }
                        self.handle_event(*event)?;
                    }
                    News::ConnectFailed(failed) => eprintln!("{failed}"),
                },
                _ = look.tick() => self.hang_up_if_over()?,
                _ = tokio::signal::ctrl_c() => self.leave(),
            }
        }
    }

    fn leave(&mut self) {
        if !std::mem::replace(&mut self.leaving, true) {
            self.telephone.command(|now, phone, _| {
                phone.command(now, |agent: &mut UserAgent| agent.sign_out(now));
            });
        }
    }

    fn handle_event(&mut self, event: Event) -> Result<(), Box<dyn Error>> {
        match event {
            Event::Agent(AgentEvent::SignInFailed(failure)) => return Err(failure.into()),
            Event::Agent(AgentEvent::Bootstrapped) => {
                println!("* signed in as {}", self.arguments.account.user);
                if let Some(to) = self.arguments.call.clone()
                    && self.line.is_none()
                {
                    let to = to.to_uri();
                    let line = self
                        .telephone
                        .command(|now, phone, caller| caller.call(now, phone, &to))?;
                    self.line = Some(line);
                }
            }
            Event::Incoming { line, from, .. } => {
                println!("* {from} calls");
                self.line = Some(line);
            }
            Event::Ringing { .. } => println!("* it rings"),
            Event::Answered { .. } => println!("* answered"),
            Event::MediaUp { .. } => {
                let seconds = self.arguments.seconds.map(Duration::from_secs);
                self.hang_up = seconds.map(|seconds| Instant::now() + seconds);
                println!("* media flows");
            }
            Event::CouldNotCall { error, .. } => return Err(error.into()),
            Event::Ended { ended, streams, .. } => {
                println!("* the call is over: {:?}", ended.cause);
                for summary in streams {
                    let (sent, received) = (&summary.statistics.sent, &summary.statistics.received);
                    println!(
                        "* {}: {} packets sent, {} received, {} lost",
                        summary.kind.media_type().as_str(),
                        sent.packets,
                        received.packets,
                        summary.lost
                    );
                }
                self.line = None;
                if self.arguments.call.is_some() && !ended.was_established {
                    let status = ended.status.unwrap_or_default();
                    return Err(format!("not answered: {status}").into());
                }
            }
            Event::StreamClosed { stream, .. } => {
                if let (Some(path), Some(Talk::Speech(speech))) = (
                    &self.arguments.record,
                    self.telephone.person.talks.of(stream),
                ) {
                    let file = BufWriter::new(File::create(path)?);
                    write_wav(file, speech.heard())?;
                }
                if self.arguments.once || self.arguments.call.is_some() {
                    self.leave();
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Who called hangs up once everything is said, or it is time.
    fn hang_up_if_over(&mut self) -> Result<(), Box<dyn Error>> {
        let Some(line) = self.line else {
            return Ok(());
        };
        let said = self.arguments.call.is_some()
            && self.telephone.person.talks.live().any(|talk| match talk {
                Talk::Speech(speech) => speech.is_silent(Instant::now(), SILENCE),
                Talk::Show(_) => false,
            });
        if said || self.hang_up.is_some_and(|at| at <= Instant::now()) {
            self.hang_up = None;
            self.telephone
                .command(|now, phone, _| phone.hang_up(now, line))?;
        }
        Ok(())
    }
}
