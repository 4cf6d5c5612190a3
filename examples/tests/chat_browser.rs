//! The page of the `chat` example in a real browser.
#![allow(clippy::expect_used, reason = "a test that cannot go on should end")]

mod support;

use serde_json::json;
use support::{browser::Browser, chat::Chat};

/// What somebody may say who would rather run it: as HTML, either would change the page's title.
const MARKUP: &str =
    r#"<b>bold</b><img src="data:," onerror="document.title='run'"><script>document.title='run'</script>"#;

#[tokio::test]
async fn people_in_a_browser_and_at_a_terminal_talk_to_each_other() {
    let chat = Chat::start(env!("CARGO_BIN_EXE_chat")).await;
    let mut ann = chat.person("Ann").await;
    let mut browser = Browser::open(&chat.page).await;
    browser.until(&shows("* What is your name?")).await;
    browser.until("document.activeElement.id == 'line' && !line.disabled").await;
    browser.enter("Bob").await;
    ann.hears("* Bob has joined").await;
    browser.until(&shows("* Welcome, Bob. Here are: Ann")).await;

    browser.enter("from a browser, 你好").await;
    ann.hears("Bob: from a browser, 你好").await;
    ann.say("from a terminal, 你好").await;
    browser.until(&shows("Ann: from a terminal, 你好")).await;

    drop(ann);
    browser.until(&shows("* Ann has left")).await;
}

#[tokio::test]
async fn markup_in_what_is_said_stays_text_in_both_directions() {
    let chat = Chat::start(env!("CARGO_BIN_EXE_chat")).await;
    let mut ann = chat.person("Ann").await;
    let mut browser = Browser::open(&chat.page).await;
    browser.until(&shows("* What is your name?")).await;
    browser.until("!line.disabled").await;
    browser.enter("Bob").await;
    ann.hears("* Bob has joined").await;
    let title = browser.evaluate("document.title").await;

    ann.say(MARKUP).await;
    browser.until(&shows(&format!("Ann: {MARKUP}"))).await;
    browser.enter(MARKUP).await;
    ann.hears(&format!("Bob: {MARKUP}")).await;
    browser.until(&shows(&format!("Bob: {MARKUP}"))).await;

    let elements = "document.querySelectorAll('#lines > li *').length";
    assert_eq!(browser.evaluate(elements).await, 0, "markup became elements");
    assert_eq!(browser.evaluate("document.title").await, title, "markup was run");
}

#[tokio::test]
async fn a_browser_is_told_when_the_chat_ends() {
    let mut chat = Chat::start(env!("CARGO_BIN_EXE_chat")).await;
    let mut browser = Browser::open(&chat.page).await;
    browser.until(&shows("* What is your name?")).await;
    chat.program.signal("TERM").await;
    assert!(chat.program.ended().await.success());
    browser.until(&shows("* The connection has ended. Reload the page to come back.")).await;
    browser.until("line.disabled").await;
}

/// Whether one of the page's lines is exactly this.
fn shows(line: &str) -> String {
    format!("[...document.querySelectorAll('#lines > li')].some(item => item.textContent == {})", json!(line))
}
