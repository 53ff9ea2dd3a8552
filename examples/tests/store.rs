//! The store over a file: what was answered is there after the worst.
#![cfg(unix)]

mod process;

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, UNIX_EPOCH};

use ocs_examples::SqliteStore;
use ocs_server::{DocumentKind, MemoryStore, QualityReport, Store, User};
use ocs_sip_core::Aor;

const KINDS: [DocumentKind; 3] = [
    DocumentKind::Contacts,
    DocumentKind::AccessList,
    DocumentKind::Presence,
];
const USERS: [&str; 2] = ["alice@contoso.com", "bob@contoso.com"];
/// The environment variable by which the test finds out that it is the child.
const FILE: &str = "OCS_STORE_TEST_FILE";

fn aor(user: usize) -> Aor {
    USERS[user].parse().unwrap()
}

fn open(path: &Path) -> SqliteStore {
    let mut users = MemoryStore::new("CONTOSO");
    for user in 0..USERS.len() {
        users.add_user(User::new(aor(user)), "Passw0rd");
    }
    SqliteStore::open(path, users).unwrap()
}

/// The n-th document: up to some hundred kilobytes, so that a kill finds most writes half done.
fn text(n: u64, user: usize, kind: usize) -> String {
    let line = format!("<line n=\"{n}\" user=\"{user}\" kind=\"{kind}\"/>\n");
    line.repeat(1 + (n as usize * 2_711 + kind * 997) % 8_000)
}

/// Which one it is.
fn number(text: &str) -> u64 {
    let rest = text.strip_prefix("<line n=\"").unwrap();
    rest.split_once('"').unwrap().0.parse().unwrap()
}

/// The child: writes as fast as it can, and says what it has written.
#[test]
fn writer() {
    let Some(path) = std::env::var_os(FILE) else {
        return;
    };
    let mut store = open(Path::new(&path));
    let first = store.document(&aor(0), KINDS[0]).unwrap();
    let first = first.map_or(0, |text| number(&text) + 1);
    let mut out = std::io::stdout().lock();
    for n in first.. {
        for user in 0..USERS.len() {
            for (kind, name) in KINDS.iter().enumerate() {
                store
                    .put_documents(&aor(user), &[(*name, &text(n, user, kind))])
                    .unwrap();
                writeln!(out, "kept {n} {user} {kind}").unwrap();
                out.flush().unwrap();
            }
        }
    }
}

fn start(path: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "writer", "--nocapture"])
        .env(FILE, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn killed_in_the_middle_of_writing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("front_end.db");
    // What was said to be kept.
    let mut kept: HashMap<(usize, usize), u64> = HashMap::new();
    for round in 0..12_u64 {
        let mut child = start(&path);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut told = 0;
        while let Some(Ok(line)) = lines.next() {
            let Some((_, line)) = line.split_once("kept ") else {
                continue;
            };
            let fields: Vec<u64> = line.split(' ').map(|n| n.parse().unwrap()).collect();
            let [n, user, kind] = fields[..] else {
                panic!("{line}");
            };
            kept.insert((user as usize, kind as usize), n);
            told += 1;
            if told == 5 + 3 * round {
                std::thread::sleep(Duration::from_micros(310 * round));
                child.kill().unwrap();
                // It goes on with what stands in the pipe: the child said it before it died.
            }
        }
        assert!(told >= 5 + 3 * round, "the child ended by itself");
        child.wait().unwrap();

        let store = open(&path);
        for (user, _) in USERS.iter().enumerate() {
            for (kind, name) in KINDS.iter().enumerate() {
                let found = store.document(&aor(user), *name).unwrap();
                let Some(last) = kept.get(&(user, kind)) else {
                    continue;
                };
                let found = found.expect("it was kept");
                let n = number(&found);
                // The one after it may have been kept and not been told.
                assert!(n == *last || n == last + 1, "{n} instead of {last}");
                assert!(found == text(n, user, kind), "number {n} is not whole");
            }
        }
    }
    assert_eq!(kept.len(), 6);
}

#[test]
fn documents_of_users() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("front_end.db");
    let mut store = open(&path);
    let [alice, bob] = [aor(0), aor(1)];
    assert_eq!(
        store.document(&alice, DocumentKind::Contacts).unwrap(),
        None
    );
    store
        .put_documents(&alice, &[(DocumentKind::Contacts, "<a>\u{e9}\u{0}'\"</a>")])
        .unwrap();
    store
        .put_documents(&alice, &[(DocumentKind::Presence, "")])
        .unwrap();
    store
        .put_documents(&bob, &[(DocumentKind::Contacts, "<b/>")])
        .unwrap();
    store
        .put_documents(&bob, &[(DocumentKind::Contacts, "<b2/>")])
        .unwrap();
    // Nobody's documents are not kept, as in memory.
    let carol = "carol@contoso.com".parse().unwrap();
    store
        .put_documents(&carol, &[(DocumentKind::Contacts, "<c/>")])
        .unwrap();
    let check = |store: &SqliteStore| {
        let of = |aor: &Aor, kind| store.document(aor, kind).unwrap();
        assert_eq!(
            of(&alice, DocumentKind::Contacts).as_deref(),
            Some("<a>\u{e9}\u{0}'\"</a>")
        );
        assert_eq!(of(&alice, DocumentKind::Presence).as_deref(), Some(""));
        assert_eq!(of(&alice, DocumentKind::AccessList), None);
        assert_eq!(of(&bob, DocumentKind::Contacts).as_deref(), Some("<b2/>"));
        assert_eq!(of(&carol, DocumentKind::Contacts), None);
        assert!(store.user(&alice).is_some() && store.user(&carol).is_none());
    };
    check(&store);
    // One front end at a time.
    let second = SqliteStore::open(&path, MemoryStore::new("CONTOSO"));
    assert!(second.unwrap_err().to_string().contains("locked"));
    drop(store);
    check(&open(&path));
}

/// Of the table of reports: user, when, type, document.
type Row = (String, i64, String, String);

#[test]
fn reports_of_quality() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("front_end.db");
    let [alice, bob] = [aor(0), aor(1)];
    // A file of the first version, with a document.
    let mut store = open(&path);
    store
        .put_documents(&alice, &[(DocumentKind::Contacts, "<a/>")])
        .unwrap();
    drop(store);
    let file = rusqlite::Connection::open(&path).unwrap();
    file.execute_batch("DROP TABLE quality_report; PRAGMA user_version = 1")
        .unwrap();
    drop(file);

    let mut store = open(&path);
    let report = |aor: &Aor, n: u32| QualityReport {
        aor: aor.clone(),
        received_at: UNIX_EPOCH + Duration::from_millis(1_800_000_000_250),
        content_type: "application/ms-cqf+xml",
        document: format!("<r n=\"{n}\"/>"),
    };
    store.put_quality_report(report(&bob, 7)).unwrap();
    for n in 0..SqliteStore::QUALITY_REPORTS + 3 {
        store.put_quality_report(report(&alice, n)).unwrap();
    }
    // Nobody's reports are not kept, as in memory.
    let carol = "carol@contoso.com".parse().unwrap();
    store.put_quality_report(report(&carol, 0)).unwrap();
    let contacts = store.document(&alice, DocumentKind::Contacts).unwrap();
    assert_eq!(contacts.as_deref(), Some("<a/>"));
    drop(store);

    let file = rusqlite::Connection::open(&path).unwrap();
    let mut rows = file
        .prepare("SELECT aor, received_at, content_type, document FROM quality_report ORDER BY id")
        .unwrap();
    let rows: Vec<Row> = rows
        .query_map([], |row| row.try_into())
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let expected = |aor: &Aor, n| -> Row {
        let document = format!("<r n=\"{n}\"/>");
        let kind = "application/ms-cqf+xml".to_owned();
        (aor.as_str().to_owned(), 1_800_000_000_250, kind, document)
    };
    let kept = 3..SqliteStore::QUALITY_REPORTS + 3;
    let mut all = vec![expected(&bob, 7)];
    all.extend(kept.map(|n| expected(&alice, n)));
    assert_eq!(rows, all);
}

#[test]
fn files_of_others_are_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("front_end.db");
    let open = || SqliteStore::open(&path, MemoryStore::new("CONTOSO"));
    std::fs::write(
        &path,
        "no database, but as long as the head of one would be.".repeat(9),
    )
    .unwrap();
    assert!(open().is_err());
    std::fs::remove_file(&path).unwrap();
    drop(open().unwrap());
    let file = rusqlite::Connection::open(&path).unwrap();
    file.pragma_update(None, "user_version", 7).unwrap();
    drop(file);
    let refused = open().unwrap_err().to_string();
    assert_eq!(refused, "tables of version 7, not 2");
}

#[test]
fn the_program_takes_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("front_end.db");
    let start = || {
        let mut program = process::example("front_end");
        program
            .args(["--listen", "127.0.0.1:0", "--user", "alice:Passw0rd"])
            .arg("--data")
            .arg(&path)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        program.spawn().unwrap()
    };
    let mut first = start();
    let mut ready = String::new();
    let mut lines = BufReader::new(first.stdout.take().unwrap());
    lines.read_line(&mut ready).unwrap();
    assert!(ready.starts_with("ready tcp=127.0.0.1:"), "{ready}");
    // A second one on the same file gives up.
    let second = start().wait_with_output().unwrap();
    assert!(!second.status.success());
    assert!(String::from_utf8_lossy(&second.stderr).contains("locked"));
    first.kill().unwrap();
    first.wait().unwrap();
    assert!(path.exists());
}

#[test]
fn what_the_file_does_not_take() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("front_end.db");
    drop(open(&path));
    let file = rusqlite::Connection::open(&path).unwrap();
    file.execute_batch(
        "CREATE TRIGGER full BEFORE INSERT ON document WHEN NEW.kind = 'presence'
         BEGIN SELECT RAISE(ABORT, 'no space left'); END;",
    )
    .unwrap();
    drop(file);
    let mut store = open(&path);
    let alice = aor(0);
    let both = [
        (DocumentKind::AccessList, "<a/>"),
        (DocumentKind::Presence, "<p/>"),
    ];
    let error = store.put_documents(&alice, &both).unwrap_err();
    assert!(error.to_string().contains("no space left"), "{error}");
    // Neither is kept, and the store goes on.
    assert_eq!(
        store.document(&alice, DocumentKind::AccessList).unwrap(),
        None
    );
    store.put_documents(&alice, &both[..1]).unwrap();
    let kept = store.document(&alice, DocumentKind::AccessList).unwrap();
    assert_eq!(kept.as_deref(), Some("<a/>"));
    drop(store);
    let file = rusqlite::Connection::open(&path).unwrap();
    file.execute_batch("DROP TABLE document").unwrap();
    drop(file);
    assert!(
        open(&path)
            .document(&alice, DocumentKind::Contacts)
            .is_err()
    );
}
