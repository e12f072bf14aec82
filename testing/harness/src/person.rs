//! Somebody with a terminal: one profile of one official.

use crate::binaries;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// One official's device.
#[derive(Clone, Debug)]
pub struct Person {
    /// Login name.
    pub username: String,
    /// Profile folder.
    pub profile: PathBuf,
    /// Card.
    pub sim: PathBuf,
    /// File with the password.
    pub password_file: PathBuf,
    /// File with the PIN.
    pub pin_file: PathBuf,
    /// Further environment of every command (another clock, for example).
    pub environment: Vec<(String, String)>,
}

/// What a command said.
#[derive(Debug)]
pub struct Reply {
    /// Exit code.
    pub code: i32,
    /// One JSON value a line of standard output.
    pub values: Vec<Value>,
    /// Standard error.
    pub stderr: String,
}

impl Reply {
    fn of(output: Output) -> Self {
        let stdout = String::from_utf8_lossy(&output.stdout);
        Self {
            code: output.status.code().unwrap_or(-1),
            values: stdout.lines().filter_map(|l| serde_json::from_str(l).ok()).collect(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The stable code of the error, if it was one.
    pub fn error(&self) -> Option<String> {
        self.stderr
            .lines()
            .rev()
            .find_map(|l| serde_json::from_str::<Value>(l).ok()?.get("error")?.as_str().map(str::to_owned))
    }
}

impl Person {
    /// A person without a profile yet.
    pub fn new(dir: &Path, username: &str, device: &str, sim: PathBuf, password: &str) -> Self {
        let home = dir.join("people").join(format!("{username}-{device}"));
        std::fs::create_dir_all(&home).unwrap();
        let (password_file, pin_file) = (home.join("password"), home.join("pin"));
        std::fs::write(&password_file, password).unwrap();
        std::fs::write(&pin_file, "246810").unwrap();
        let environment = Vec::new();
        Self { username: username.to_owned(), profile: home.join("profile"), sim, password_file, pin_file, environment }
    }

    /// The client with this person's profile and secrets, ready to be given a command.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(binaries::client());
        command
            .args(["--json", "--profile"])
            .arg(&self.profile)
            .arg("--pin-file")
            .arg(&self.pin_file)
            .arg("--password-file")
            .arg(&self.password_file)
            .arg("--sim")
            .arg(&self.sim)
            .args(args)
            .envs(self.environment.iter().map(|(k, v)| (k, v)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, args: &[&str]) -> Reply {
        Reply::of(self.command(args).output().expect("the client starts"))
    }

    /// Runs a command that must succeed; its first result.
    ///
    /// A server that was too busy to look for revocations believes nobody for the moment and has done nothing: it is asked
    /// again, a few times.
    ///
    /// # Panics
    /// When it fails.
    pub fn ok(&self, args: &[&str]) -> Value {
        let mut reply = self.run(args);
        for _ in 0..5 {
            if reply.error().as_deref() != Some("identity.revocations_stale") {
                break;
            }
            std::thread::sleep(std::time::Duration::from_secs(1));
            reply = self.run(args);
        }
        assert_eq!(reply.code, 0, "{} {args:?} failed: {}", self.username, reply.stderr);
        reply.values.into_iter().next().unwrap_or(Value::Null)
    }

    /// Runs a command that must fail with this stable code.
    ///
    /// # Panics
    /// When it succeeds or fails otherwise.
    pub fn fails(&self, args: &[&str], code: &str) {
        let reply = self.run(args);
        assert_ne!(reply.code, 0, "{} {args:?} should have failed", self.username);
        assert_eq!(reply.error().as_deref(), Some(code), "{} {args:?}: {}", self.username, reply.stderr);
    }

    /// Starts a command that keeps running (`listen`).
    pub fn start(&self, args: &[&str]) -> Child {
        self.command(args).spawn().expect("the client starts")
    }

    /// Logs in.
    pub fn login(&self) -> &Self {
        self.ok(&["login"]);
        self
    }

    /// Starts a conversation with others (login names).
    pub fn new_conversation(&self, others: &[&str], title: Option<&str>) -> String {
        let mut args = vec!["new"];
        args.extend(others);
        if let Some(title) = title {
            args.extend(["--title", title]);
        }
        self.ok(&args)["conversation"].as_str().expect("an id").to_owned()
    }

    /// Texts of a conversation as this person sees them, with their authors' login-independent flag `mine`.
    pub fn texts(&self, conversation: &str) -> Vec<String> {
        self.lines(conversation)
            .iter()
            .filter(|l| !l["message"].is_null())
            .map(|l| l["text"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// Lines of a conversation.
    pub fn lines(&self, conversation: &str) -> Vec<Value> {
        let page = self.ok(&["read", conversation, "--limit", "500"]);
        page["lines"].as_array().cloned().unwrap_or_default()
    }

    /// Status of the newest own message with this text.
    pub fn status(&self, conversation: &str, text: &str) -> String {
        let lines = self.lines(conversation);
        let line = lines.iter().rev().find(|l| l["text"] == text && l["mine"] == true).expect("own message is there");
        line["status"].as_str().unwrap_or_default().to_owned()
    }
}
