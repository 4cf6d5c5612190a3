//! Calls every method with several inputs, prints each call and its answer, and compares the answer with what it should be.

use std::{
    collections::{BTreeMap, HashMap},
    fmt::{self, Debug},
    time::{Duration, Instant},
};

use getty_rpc::{Date, ErrorKind, Result};

use super::{Address, Level, User, UserNotFound, UserServiceClient};

/// Characters of an answer that are printed.
const SHOWN: usize = 100;
/// Text of all widths: ASCII, Chinese, emoji outside the basic plane, the zero character.
const TEXTS: [&str; 5] = ["Ada", "", "许多往事在眼前一幕一幕", "🦀 and 👩‍👩‍👧", "a\0b\u{7ff}\u{ffff}"];

/// How it went.
#[derive(Debug, Default)]
pub struct Report {
    checks: usize,
    failed: usize,
}

impl Report {
    /// Whether all answers were right.
    pub fn is_good(&self) -> bool {
        self.failed == 0 && self.checks > 0
    }

    fn check<T: Debug + PartialEq>(&mut self, call: &str, answer: Result<T>, expected: &T) {
        self.checks += 1;
        let shown = |value: &dyn Debug| format!("{value:?}").chars().take(SHOWN).collect::<String>();
        match answer {
            Ok(answer) if answer == *expected => println!("{call} = {}", shown(&answer)),
            Ok(answer) => {
                self.failed += 1;
                println!("FAIL {call} = {}, expected {}", shown(&answer), shown(expected));
            }
            Err(error) => {
                self.failed += 1;
                println!("FAIL {call}: {error}");
            }
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.failed {
            0 => write!(f, "ALL OK {} checks", self.checks),
            failed => write!(f, "FAILED {failed} of {} checks", self.checks),
        }
    }
}

/// Calls everything. A dubbo-go provider cannot take a null String or Date (it answers `reflect: Call using *string as type
/// string`) and takes a null User for an empty one; for it those calls are left out.
pub async fn run(users: &UserServiceClient, go_provider: bool) -> Report {
    let mut report = Report::default();
    scalars(users, go_provider, &mut report).await;
    lists_and_bytes(users, go_provider, &mut report).await;
    structs(users, go_provider, &mut report).await;
    void_and_oneway(users, &mut report).await;
    exceptions(users, &mut report).await;
    slow_and_large(users, &mut report).await;
    report
}

async fn scalars(users: &UserServiceClient, go_provider: bool, report: &mut Report) {
    for name in TEXTS {
        let expected = Some(format!("Hello, {name}!"));
        report.check(&format!("greet({name:?})"), users.greet(Some(name.to_owned())).await, &expected);
    }
    if !go_provider {
        report.check("greet(null)", users.greet(None).await, &Some("Hello, nobody!".to_owned()));
    }
    for n in [0, -1, 46, 47, i32::MAX, i32::MIN] {
        report.check(&format!("next({n})"), users.next(n).await, &n.wrapping_add(1));
    }
    for n in [0, 1, -2049, 1 << 40, i64::MAX, i64::MIN] {
        report.check(&format!("negate({n})"), users.negate(n).await, &n.wrapping_neg());
    }
    for x in [0.0, 1.0, 0.02, -40_000.0, 12.3456, f64::MAX, f64::MIN_POSITIVE] {
        report.check(&format!("half({x})"), users.half(x).await, &(x / 2.0));
    }
    for b in [true, false, true] {
        report.check(&format!("not({b})"), users.not(b).await, &!b);
    }
    for at in [0, 894_621_091_000, -86_400_001, 253_402_300_799_000] {
        let expected = Some(Date::from_millis(at + 86_400_000));
        report.check(&format!("nextDay({at})"), users.next_day(Some(Date::from_millis(at))).await, &expected);
    }
    if !go_provider {
        report.check("nextDay(null)", users.next_day(None).await, &None);
    }
    for _ in 0..3 {
        report.check("version()", users.version().await, &"1.0.0".to_owned());
    }
}

async fn lists_and_bytes(users: &UserServiceClient, go_provider: bool, report: &mut Report) {
    for length in [0_usize, 1, 15, 16, 1_024, 70_000] {
        let data: Vec<u8> = (0..length).map(|i| (i % 251) as u8).collect();
        let expected = Some(data.iter().rev().copied().collect());
        report.check(
            &format!("reverseBytes({length} bytes)"),
            users.reverse_bytes(Some(data)).await,
            &expected,
        );
    }
    let lists: [&[&str]; 4] =
        [&[], &["one"], &["", "二", "🦀"], &["a", "b", "c", "d", "e", "f", "g", "h", "i"]];
    for words in lists {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let expected = Some(words.iter().rev().cloned().collect());
        report.check(&format!("reverse({words:?})"), users.reverse(Some(words)).await, &expected);
    }
    if !go_provider {
        report.check("reverseBytes(null)", users.reverse_bytes(None).await, &None);
        report.check("reverse(null)", users.reverse(None).await, &None);
    }
}

/// Users with everything and with nothing, nested and not.
fn sample() -> Vec<User> {
    let ada = User {
        level: Level::Silver,
        address: Some(Address { street: "St James's Square 12".into(), city: "London".into(), zip: None }),
        email: Some("ada@example.com".into()),
        born: Some(Date::from_millis(-4_858_617_600_000)),
        tags: Some(vec!["数学".into(), "🦀".into()]),
        accounts: Some(HashMap::from([("GBP".into(), 12.5), ("EUR".into(), 0.009)])),
        photo: Some((0..=255).collect()),
        ..User::new(i64::MAX, "Ada 艾达", 36)
    };
    let grace = User {
        level: Level::Gold,
        address: Some(Address { street: String::new(), city: "纽约".into(), zip: Some("10001".into()) }),
        friends: Some(vec![
            User::new(3, "first friend", 20),
            User { email: Some(String::new()), ..ada.clone() },
        ]),
        ..User::new(2, "Grace", 85)
    };
    vec![User::new(-1, "", 0), ada, grace, User::new(4, "as old as Ada", 36)]
}

async fn structs(users: &UserServiceClient, go_provider: bool, report: &mut Report) {
    for user in sample() {
        let expected = Some(User { age: user.age + 1, level: user.level.up(), ..user.clone() });
        report.check(&format!("birthday({:?})", user.name), users.birthday(Some(user)).await, &expected);
    }
    if !go_provider {
        report.check("birthday(null)", users.birthday(None).await, &None);
    }
    let mut reversed = sample();
    reversed.reverse();
    for list in [vec![], vec![User::new(1, "alone", 1)], sample(), reversed] {
        let mut expected = list.clone();
        expected.sort_by_key(|user| user.age);
        report.check(&format!("sortByAge({} users)", list.len()), users.sort_by_age(&list).await, &expected);
    }
    let by_name: HashMap<_, _> = sample().into_iter().map(|user| (user.name.clone(), user)).collect();
    for (map, age) in [(HashMap::new(), 1), (by_name.clone(), 36), (by_name.clone(), -1), (by_name, 1_000)] {
        let mut expected = map.clone();
        expected.retain(|_, user| user.age > age);
        let answer = users.older_than(&map, age).await.map(BTreeMap::from_iter);
        report.check(
            &format!("olderThan({} users, {age})", map.len()),
            answer,
            &BTreeMap::from_iter(expected),
        );
    }
}

async fn void_and_oneway(users: &UserServiceClient, report: &mut Report) {
    let before = match users.notes().await {
        Ok(notes) => notes,
        Err(error) => return report.check("notes()", Err(error), &vec![String::new()]),
    };
    let mut expected = before;
    for note in TEXTS {
        report.check(&format!("remember({note:?})"), users.remember(note).await, &());
        expected.push(note.to_owned());
    }
    report.check("notes()", users.notes().await, &expected);
    for note in TEXTS {
        report.check(&format!("log({note:?}), one-way"), users.log(note).await, &());
        expected.push(note.to_owned());
    }
    // Nobody says when a one-way call has run, and in which order: ask until all notes are there.
    let deadline = Instant::now() + Duration::from_secs(10);
    let mut answer = users.notes().await;
    while matches!(&answer, Ok(notes) if notes.len() < expected.len()) && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(10)).await;
        answer = users.notes().await;
    }
    let sorted = |mut notes: Vec<String>| {
        notes.sort();
        notes
    };
    report.check("notes() after the one-way calls", answer.map(sorted), &sorted(expected));
}

async fn exceptions(users: &UserServiceClient, report: &mut Report) {
    for id in [1, 7, i64::MAX] {
        let expected = Ok(User { level: Level::Silver, ..User::new(id, format!("user-{id}"), 30) });
        report.check(
            &format!("find({id})"),
            users.find(id).await.map(|found| found.map(without_empty)),
            &expected,
        );
    }
    for id in [0, -1, i64::MIN] {
        let expected = Err(UserNotFound { message: format!("no user {id}"), id });
        report.check(&format!("find({id})"), users.find(id).await, &expected);
    }
}

/// A dubbo-go provider knows no difference between null and empty.
fn without_empty(user: User) -> User {
    User {
        tags: user.tags.filter(|tags| !tags.is_empty()),
        friends: user.friends.filter(|friends| !friends.is_empty()),
        accounts: user.accounts.filter(|accounts| !accounts.is_empty()),
        photo: user.photo.filter(|photo| !photo.is_empty()),
        ..user
    }
}

async fn slow_and_large(users: &UserServiceClient, report: &mut Report) {
    for millis in [0, 1, 50] {
        report.check(&format!("slow({millis})"), users.slow(millis).await, &format!("slept {millis} ms"));
    }
    let timed_out = match users.slow(2_000).timeout(Duration::from_millis(200)).await {
        Err(error) if matches!(error.kind(), ErrorKind::Timeout) => Ok("timed out"),
        Err(error) => Err(error),
        Ok(_) => Ok("answered"),
    };
    report.check("slow(2000) within 200 ms", timed_out, &"timed out");
    for size in [0, 32_769, 900_000] {
        let expected = "x".repeat(usize::try_from(size).unwrap_or(0));
        report.check(&format!("large({size})"), users.large(size).await, &expected);
    }
}
