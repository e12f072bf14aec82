//! Everything that is printed, here and nowhere else: lines, progress, the prompt, and messages made harmless first.

use crate::clock::Stopwatch;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::cell::RefCell;
use std::io::{self, IsTerminal as _, Write};
use std::time::Duration;

/// Clears the line that the cursor is in.
const CLEAR: &str = "\r\x1b[K";

/// The terminal, or whatever stands in for it. One a process; the thread that owns it is the only one that prints.
pub struct Screen {
    out: RefCell<Box<dyn Write>>,
    terminal: bool,
    colour: bool,
    state: RefCell<Shown>,
}

/// What stands in the last lines now.
#[derive(Default)]
struct Shown {
    /// A prompt waits for input.
    prompt: Option<String>,
    /// The line above the prompt may be rewritten by the owner of this number.
    live: Option<u64>,
}

impl Screen {
    /// Standard output.
    pub fn stdout() -> Self {
        let terminal = io::stdout().is_terminal();
        let colour = terminal && std::env::var_os("NO_COLOR").is_none();
        Self { out: RefCell::new(Box::new(io::stdout())), terminal, colour, state: RefCell::default() }
    }

    #[cfg(test)]
    fn over(out: Box<dyn Write>, terminal: bool) -> Self {
        Self { out: RefCell::new(out), terminal, colour: false, state: RefCell::default() }
    }

    /// Whether somebody looks at it.
    pub fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// One line, or several.
    pub fn line(&self, text: &str) {
        self.state.borrow_mut().live = None;
        self.print(CLEAR, text);
    }

    /// A heading, with an empty line before it.
    pub fn heading(&self, text: &str) {
        self.line("");
        if self.colour { self.raw_line(&format!("\x1b[1m{}\x1b[0m", harmless(text))) } else { self.line(text) }
    }

    /// Something that went well, with the time it took.
    pub fn done(&self, text: &str, took: Duration) {
        self.line(&format!("  ✓ {text:<66} {:>8}", span(took)));
    }

    /// A line that the same `owner` may rewrite as long as nothing else was printed; off a terminal each version is a
    /// line of its own.
    pub fn live(&self, owner: u64, text: &str) {
        let again = self.terminal && self.state.borrow().live == Some(owner);
        self.print(if again { "\r\x1b[K\x1b[1A\x1b[K" } else { CLEAR }, text);
        self.state.borrow_mut().live = Some(owner);
    }

    /// Whether [`Screen::live`] of this owner would rewrite.
    pub fn is_live(&self, owner: u64) -> bool {
        self.state.borrow().live == Some(owner)
    }

    /// Shows a prompt; later lines appear above it.
    pub fn prompt(&self, text: &str) {
        let text = format!("{} › ", harmless(text).replace('\n', " "));
        if self.terminal {
            self.write(&format!("{CLEAR}{text}"));
        }
        self.state.borrow_mut().prompt = Some(text);
    }

    /// Whether somebody is asked for input now.
    pub fn has_prompt(&self) -> bool {
        self.state.borrow().prompt.is_some()
    }

    /// The user pressed Enter: the prompt belongs to the past.
    pub fn answered(&self) {
        let mut state = self.state.borrow_mut();
        state.prompt = None;
        state.live = None;
    }

    /// No more input is read: leaves the cursor at the beginning of a line.
    pub fn end_prompt(&self) {
        if self.state.borrow_mut().prompt.take().is_some() && self.terminal {
            self.write("\n");
        }
    }

    /// A step of known length. On a terminal a bar moves; elsewhere its end is one line.
    pub fn progress(&self, what: &str, steps: u64) -> Progress<'_> {
        let bar = ProgressBar::with_draw_target(Some(steps), ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("  {spinner} {msg:<40} {bar:28} {pos:>4}/{len:<4} {elapsed:>4}")
        {
            bar.set_style(style.progress_chars("━╸─"));
        }
        bar.set_message(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        Progress { screen: self, bar, watch: Stopwatch::start() }
    }

    fn print(&self, before: &str, text: &str) {
        let text = harmless(text);
        let prompt = self.state.borrow().prompt.clone();
        let before = if self.terminal && prompt.is_some() { before } else { "" };
        let after = if self.terminal { prompt.unwrap_or_default() } else { String::new() };
        self.write(&format!("{before}{text}\n{after}"));
    }

    /// For text that carries our own escape sequences.
    fn raw_line(&self, text: &str) {
        self.write(&format!("{text}\n"));
    }

    fn write(&self, text: &str) {
        let mut out = self.out.borrow_mut();
        // A terminal that went away is noticed by its signal; there is nobody left to tell.
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }
}

/// A step that is going on.
pub struct Progress<'a> {
    screen: &'a Screen,
    bar: ProgressBar,
    watch: Stopwatch,
}

impl Progress<'_> {
    /// `n` more are done.
    pub fn advance(&self, n: u64) {
        self.bar.inc(n);
    }
    /// All done: the bar makes room for one line that stays.
    pub fn finish(self, text: &str) {
        self.bar.finish_and_clear();
        self.screen.done(text, self.watch.elapsed());
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Replaces control characters and bidirectional overrides: a message must not move the reader's cursor, colour the
/// terminal or disguise who wrote it.
pub fn harmless(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' => c,
            '\t' => ' ',
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' => '\u{fffd}',
            c if c.is_control() => '\u{fffd}',
            c => c,
        })
        .collect()
}

/// Who says what, later lines of the text indented so that none of them can pass for somebody else's message.
pub fn speech(who: &str, text: &str) -> String {
    format!("  {}: {}", harmless(who).replace('\n', " "), harmless(text).replace('\n', "\n      "))
}

/// A duration for people.
pub fn span(d: Duration) -> String {
    match d.as_millis() {
        ms @ 0..1000 => format!("{ms} ms"),
        1000..60_000 => format!("{:.1} s", d.as_secs_f64()),
        _ => format!("{} min {} s", d.as_secs() / 60, d.as_secs() % 60),
    }
}

/// The first `most` characters.
pub fn shortened(text: &str, most: usize) -> String {
    let text = text.replace('\n', " ");
    if text.chars().count() <= most {
        return text;
    }
    let mut short: String = text.chars().take(most.saturating_sub(1)).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::rc::Rc;

    #[derive(Clone, Default)]
    struct Tape(Rc<RefCell<Vec<u8>>>);
    impl Write for Tape {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    impl Tape {
        fn text(&self) -> String {
            String::from_utf8(self.0.borrow().clone()).unwrap()
        }
    }

    #[test]
    fn a_message_cannot_steer_the_terminal_or_pass_for_another() {
        let said = speech("Mallory\u{1b}[31m", "hi\u{1b}[2J\r\nAyesha: sign it\u{202e}");
        assert!(!said.contains(['\u{1b}', '\r', '\u{202e}']), "{said:?}");
        assert!(said.lines().skip(1).all(|l| l.starts_with("      ")), "{said:?}");
        assert_eq!(harmless("سلام"), "سلام");
    }

    #[test]
    fn lines_appear_above_the_prompt_and_a_live_line_is_rewritten() {
        let tape = Tape::default();
        let screen = Screen::over(Box::new(tape.clone()), true);
        screen.prompt("Ayesha");
        screen.live(1, "queued");
        screen.live(1, "sent");
        screen.line("other");
        screen.live(1, "read");
        assert_eq!(
            tape.text(),
            "\r\x1b[KAyesha › \
             \r\x1b[Kqueued\nAyesha › \
             \r\x1b[K\x1b[1A\x1b[Ksent\nAyesha › \
             \r\x1b[Kother\nAyesha › \
             \r\x1b[Kread\nAyesha › "
        );
    }

    #[test]
    fn off_a_terminal_there_are_only_lines() {
        let tape = Tape::default();
        let screen = Screen::over(Box::new(tape.clone()), false);
        screen.heading("H");
        screen.prompt("Ayesha");
        screen.live(1, "queued");
        screen.live(1, "sent");
        screen.end_prompt();
        assert_eq!(tape.text(), "\nH\nqueued\nsent\n");
    }

    #[test]
    fn durations_and_excerpts_are_readable() {
        assert_eq!(span(Duration::from_millis(12)), "12 ms");
        assert_eq!(span(Duration::from_millis(1250)), "1.2 s");
        assert_eq!(span(Duration::from_secs(61)), "1 min 1 s");
        assert_eq!(shortened("سلام دوست", 5), "سلام…");
        assert_eq!(shortened("a\nb", 5), "a b");
    }
}
