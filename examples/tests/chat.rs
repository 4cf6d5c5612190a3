//! The `chat` example: one room for terminals and WebSockets, and what one person cannot do to the others.
#![allow(clippy::expect_used, reason = "a test that cannot go on should end")]

mod support;

use getty::{BoxError, Client, ClientBuilder, Lines, Session, on_message, transport::WsClient};
use support::{
    PATIENCE,
    chat::{Chat, Terminal},
};
use tokio::{
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    time::timeout,
};

async fn chat() -> Chat {
    Chat::start(env!("CARGO_BIN_EXE_chat")).await
}

#[tokio::test]
async fn terminals_and_web_sockets_are_in_one_room() {
    let chat = chat().await;
    let mut ann = chat.person("Ann").await;
    let (client, mut heard) = web_socket(&chat, chat.origin()).await.expect("the page's own origin");
    let bob = client.session().await.expect("connected");
    bob.send("Bob".to_owned()).await.expect("written");
    ann.hears("* Bob has joined").await;
    hears(&mut heard, "* Welcome, Bob. Here are: Ann").await;
    ann.say("from a terminal").await;
    hears(&mut heard, "Ann: from a terminal").await;
    bob.send("from a WebSocket".to_owned()).await.expect("written");
    ann.hears("Bob: from a WebSocket").await;
    client.close().await;
    ann.hears("* Bob has left").await;
}

#[tokio::test]
async fn everybody_hears_the_same_in_the_same_order() {
    let chat = chat().await;
    let mut people = [chat.person("Ann").await, chat.person("Bob").await, chat.person("Eve").await];
    for round in 0..100 {
        for person in &mut people {
            person.say(&format!("line {round}")).await;
        }
    }
    let mut heard = Vec::new();
    for person in &mut people {
        heard.push(lines_said(person, 300).await);
    }
    assert!(heard[0] == heard[1] && heard[1] == heard[2], "{heard:#?}");
}

#[tokio::test]
async fn a_name_is_short_and_plain_and_belongs_to_one_person_until_they_leave() {
    let chat = chat().await;
    let ann = chat.person("Ann").await;
    let mut other = chat.terminal().await;
    for name in ["", "  ", "Ann: hello", "* Ann", &"n".repeat(21)] {
        other.say(name).await;
        other.hears("* A name has 1 to 20 letters and digits. Which is yours?").await;
    }
    other.say("Ann").await;
    other.hears("* Somebody has this name already. Which is yours?").await;
    other.say("小明").await;
    other.hears("* Welcome, 小明. Here are: Ann").await;
    drop(ann);
    other.hears("* Ann has left").await;
    chat.person("Ann").await;
    other.hears("* Ann has joined").await;
}

#[tokio::test]
async fn control_characters_do_not_get_to_the_terminals_of_others() {
    let chat = chat().await;
    let (mut ann, mut bob) = (chat.person("Ann").await, chat.person("Bob").await);
    bob.say("\u{1b}[2J\u{7}all\t\u{9b}gone").await;
    ann.hears("Bob: [2Jallgone").await;
}

#[tokio::test]
async fn a_line_that_does_not_end_ends_its_connection_and_no_other() {
    let chat = chat().await;
    let (mut ann, mut bob) = (chat.person("Ann").await, chat.person("Bob").await);
    bob.send(&[b'x'; 2_000]).await;
    ann.hears("* Bob has left").await;
    while bob.next().await.is_some() {}
    ann.say("still here").await;
    ann.hears("Ann: still here").await;
}

#[tokio::test]
async fn somebody_who_does_not_read_is_put_out_and_delays_nobody() {
    let chat = chat().await;
    let (_deaf, mut ann) = (chat.person("Deaf").await, chat.person("Ann").await);
    let long = "x".repeat(900);
    let spoken = format!("Ann: {long}");
    let talk = async {
        loop {
            ann.say(&long).await;
            match ann.next().await.expect("Ann stays").as_str() {
                "* Deaf has left" => return,
                line => assert_eq!(line, spoken),
            }
        }
    };
    timeout(PATIENCE, talk).await.expect("put out in time");
}

#[tokio::test]
async fn a_script_of_another_web_site_cannot_connect() {
    let chat = chat().await;
    for origin in ["http://evil.example", "null"] {
        let refused = web_socket(&chat, origin).await.expect_err("refused").to_string();
        assert!(refused.contains("403"), "{refused}");
    }
    assert!(web_socket(&chat, chat.origin()).await.is_ok());
}

#[tokio::test]
async fn the_page_is_served_as_html_and_sigterm_ends_all_in_good_order() {
    let mut chat = chat().await;
    let mut ann = chat.person("Ann").await;
    let page = chat.get_page().await.to_lowercase();
    assert!(page.starts_with("http/1.1 200 ok\r\n") && page.contains("content-type: text/html"), "{page}");
    chat.program.signal("TERM").await;
    while ann.next().await.is_some() {}
    assert!(chat.program.ended().await.success());
}

type Heard = UnboundedReceiver<String>;

/// Somebody who connects over WebSocket from a page of this origin, and what they hear.
async fn web_socket(chat: &Chat, origin: &str) -> Result<(Client<Lines>, Heard), BoxError> {
    let (lines, heard) = unbounded_channel();
    let listener = on_message(move |_: &Session<Lines>, line| drop(lines.send(line)));
    let to = WsClient::new(&chat.web_socket().await)?.header("origin", origin)?;
    let client = ClientBuilder::new(Lines::default(), listener).ws(to);
    client.connect().await?;
    Ok((client, heard))
}

/// Waits for a line.
async fn hears(heard: &mut Heard, expected: &str) {
    let wait = async { while heard.recv().await.expect("still connected") != expected {} };
    timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("{expected:?} is not heard"));
}

/// The next lines that people have said.
async fn lines_said(person: &mut Terminal, count: usize) -> Vec<String> {
    let mut said = Vec::new();
    while said.len() < count {
        let line = person.next().await.expect("still connected");
        if line.contains(": line ") {
            said.push(line);
        }
    }
    said
}
