//! A headless Chromium with one page, driven through its DevTools protocol. `GETTY_CHROMIUM` names the program; `scripts/test`
//! looks for one.
//!
//! Commands and answers are JSON, each ended by a zero byte, over the pipes that `--remote-debugging-pipe` reads and writes:
//! descriptors 3 and 4. When the pipes close, Chromium ends.

use std::{process::Stdio, time::Duration};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{ChildStdin, ChildStdout, Command},
    time::{sleep, timeout},
};

use super::PATIENCE;

const FLAGS: [&str; 10] = [
    "--headless",
    "--remote-debugging-pipe",
    // Its sandbox does not work for root, and often not in containers. It sees no page but ours.
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--no-first-run",
    // It has nobody to call but us.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
];

/// Runs a program that reads descriptor 3 and writes 4, with a profile that is gone afterwards.
const SCRIPT: &str = "
    profile=$(mktemp -d) || exit
    \"$0\" \"$@\" --user-data-dir=\"$profile\" 3<&0 4>&1 </dev/null >/dev/null
    rm -rf \"$profile\"
";

/// A browser with one page. It ends when this is dropped.
pub(crate) struct Browser {
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
    id: u64,
    /// The page's, once there is one.
    session: Option<String>,
}

impl Browser {
    /// Opens a page.
    pub(crate) async fn open(url: &str) -> Self {
        let program = std::env::var("GETTY_CHROMIUM")
            .expect("GETTY_CHROMIUM names the program chromium; scripts/test looks for one");
        let mut child = Command::new("sh")
            .args(["-c", SCRIPT, &program])
            .args(FLAGS)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell");
        let commands = child.stdin.take().expect("piped");
        let answers = BufReader::new(child.stdout.take().expect("piped"));
        let mut browser = Self { commands, answers, id: 0, session: None };
        let page = browser.call("Target.createTarget", json!({ "url": url })).await;
        let attach = json!({ "targetId": page["targetId"], "flatten": true });
        let session = browser.call("Target.attachToTarget", attach).await;
        browser.session = session["sessionId"].as_str().map(str::to_owned);
        browser
    }

    /// What an expression in the page comes to.
    pub(crate) async fn evaluate(&mut self, expression: &str) -> Value {
        self.ask(expression).await.unwrap_or_else(|error| panic!("{expression}: {error:#}"))
    }

    /// Looks again and again until an expression in the page is true. While the page is being loaded it may fail.
    pub(crate) async fn until(&mut self, expression: &str) {
        let wait = async {
            while self.ask(expression).await != Ok(json!(true)) {
                sleep(Duration::from_millis(10)).await;
            }
        };
        if timeout(PATIENCE, wait).await.is_err() {
            let page = self.ask("document.body.innerText").await;
            panic!("{expression} does not come about; the page shows {page:#?}");
        }
    }

    /// Types text where the focus is, then Enter.
    pub(crate) async fn enter(&mut self, text: &str) {
        self.call("Input.insertText", json!({ "text": text })).await;
        for kind in ["keyDown", "keyUp"] {
            let key = json!({ "type": kind, "key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r" });
            self.call("Input.dispatchKeyEvent", key).await;
        }
    }

    async fn ask(&mut self, expression: &str) -> Result<Value, Value> {
        let parameters = json!({ "expression": expression, "returnByValue": true });
        let answer = self.try_call("Runtime.evaluate", parameters).await?;
        match &answer["exceptionDetails"] {
            Value::Null => Ok(answer["result"]["value"].clone()),
            exception => Err(exception.clone()),
        }
    }

    /// A command to the page, or to the browser while there is no page, and its answer.
    async fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.try_call(method, parameters).await.unwrap_or_else(|error| panic!("{method}: {error:#}"))
    }

    async fn try_call(&mut self, method: &str, parameters: Value) -> Result<Value, Value> {
        self.id += 1;
        let mut command = json!({ "id": self.id, "method": method, "params": parameters });
        if let Some(session) = &self.session {
            command["sessionId"] = json!(session);
        }
        self.commands.write_all(format!("{command}\0").as_bytes()).await.expect("Chromium runs");
        let answer = timeout(PATIENCE, self.answer()).await.expect("an answer in time");
        match &answer["error"] {
            Value::Null => Ok(answer["result"].clone()),
            error => Err(error.clone()),
        }
    }

    /// The answer to the last command. Events are skipped.
    async fn answer(&mut self) -> Value {
        loop {
            let mut message = Vec::new();
            self.answers.read_until(0, &mut message).await.expect("Chromium runs");
            assert_eq!(message.pop(), Some(0), "Chromium has ended");
            let message: Value = serde_json::from_slice(&message).expect("JSON");
            if message["id"] == self.id {
                return message;
            }
        }
    }
}
