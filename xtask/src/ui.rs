//! The one place that prints: data to stdout, talk to stderr.

use std::fmt::Display;
use std::io::{BufRead, IsTerminal, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};
use serde::Serialize;

use crate::cli::{ColorWhen, Format, GlobalArgs};
use crate::failure::{Failure, Kind};

const ERROR: Style = AnsiColor::Red.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default();
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const BAD: Style = AnsiColor::Red.on_default();
pub(crate) const BUSY: Style = AnsiColor::Yellow.on_default();
pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();

/// Talks to a person.
pub(crate) struct Ui {
    format: Format,
    quiet: bool,
    verbose: bool,
    interrupt_note: Mutex<Option<(String, String)>>,
    command_handles_interrupt: AtomicBool,
}

#[expect(clippy::unused_self, reason = "who prints must hold the Ui")]
impl Ui {
    pub(crate) fn new(args: &GlobalArgs) -> Self {
        match args.color {
            ColorWhen::Auto => {}
            ColorWhen::Always => anstream::ColorChoice::Always.write_global(),
            ColorWhen::Never => anstream::ColorChoice::Never.write_global(),
        }
        Self {
            format: args.format,
            quiet: args.quiet,
            verbose: args.verbose,
            interrupt_note: Mutex::new(None),
            command_handles_interrupt: AtomicBool::new(false),
        }
    }

    pub(crate) fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    pub(crate) fn is_markdown(&self) -> bool {
        self.format == Format::Markdown
    }

    pub(crate) fn is_verbose(&self) -> bool {
        self.verbose
    }

    /// Whether progress may be drawn in place.
    pub(crate) fn draws(&self) -> bool {
        !self.quiet && std::io::stderr().is_terminal()
    }

    /// Draws that something goes on, and for how long, until it is dropped; elsewhere than on a terminal, nothing.
    pub(crate) fn spinner(&self, what: &str) -> Option<ProgressBar> {
        if !self.draws() {
            return None;
        }
        let style = ProgressStyle::with_template("{spinner} {msg} {elapsed}")
            .unwrap_or_else(|_| ProgressStyle::default_spinner());
        let spinner = ProgressBar::new_spinner()
            .with_style(style)
            .with_message(what.to_owned())
            .with_finish(ProgressFinish::AndClear);
        spinner.enable_steady_tick(Duration::from_millis(120));
        Some(spinner)
    }

    /// How many letters a line of the terminal has; `None` where stdout is none.
    pub(crate) fn width(&self) -> Option<usize> {
        let (_, columns) = console::Term::stdout().size_checked()?;
        std::io::stdout().is_terminal().then_some(columns.into())
    }

    /// Writes data as text.
    pub(crate) fn data(&self, text: impl Display) {
        write_stdout(&text.to_string());
    }

    /// Writes data as JSON.
    pub(crate) fn json(&self, data: &impl Serialize) {
        // Serializing our own types to memory has no way to fail: string keys, no custom serializers.
        write_stdout(&serde_json::to_string_pretty(data).unwrap_or_default());
    }

    /// Writes data as one line of JSON: where it comes piece by piece, each is a document of its own.
    pub(crate) fn json_line(&self, data: &impl Serialize) {
        write_stdout(&serde_json::to_string(data).unwrap_or_default());
    }

    /// Says something in passing; `--quiet` leaves it out.
    pub(crate) fn say(&self, text: impl Display) {
        if !self.quiet {
            write_stderr(&text.to_string());
        }
    }

    /// Says something that only `--verbose` shows.
    pub(crate) fn detail(&self, text: impl Display) {
        if self.verbose {
            write_stderr(&text.to_string());
        }
    }

    /// Says something that must not be missed.
    pub(crate) fn warn(&self, text: impl Display) {
        write_stderr(&format!("{BUSY}warning:{BUSY:#} {text}"));
    }

    /// Shows a failure.
    pub(crate) fn failure(&self, failure: &Failure) {
        write_stderr(&format!("{ERROR}error:{ERROR:#} {}", failure.message));
        for cause in &failure.causes {
            write_stderr(&format!(
                "  {DIM}cause:{DIM:#} {}",
                cause.trim().replace('\n', "\n         ")
            ));
        }
        for hint in &failure.hints {
            write_stderr(&format!("  {HINT}hint:{HINT:#} {hint}"));
        }
    }

    /// Asks for `word`; `yes` answers for the person.
    pub(crate) fn confirm(&self, question: &str, word: &str, yes: bool) -> Result<(), Failure> {
        if yes {
            return Ok(());
        }
        if !std::io::stdin().is_terminal() {
            return Err(Failure::new(
                Kind::Declined,
                "this needs a yes, and there is no terminal to ask on",
            )
            .hint("read the plan (`--dry-run`), then run it with `--yes`"));
        }
        let mut stderr = anstream::stderr();
        let mut answer = String::new();
        let asked = write!(stderr, "{BOLD}{question}{BOLD:#} Type `{word}` to go on: ")
            .and_then(|()| stderr.flush())
            .and_then(|()| std::io::stdin().lock().read_line(&mut answer));
        match asked {
            Ok(_) if answer.trim() == word => Ok(()),
            _ => Err(Failure::new(
                Kind::Declined,
                "not confirmed: nothing was changed",
            )),
        }
    }

    /// What Ctrl-C leaves behind from now on, and how to go on.
    pub(crate) fn on_interrupt(&self, state: impl Into<String>, next: impl Into<String>) {
        if let Ok(mut note) = self.interrupt_note.lock() {
            *note = Some((state.into(), next.into()));
        }
    }

    /// From now on the command ends by itself at Ctrl-C.
    pub(crate) fn leave_interrupt_to_command(&self) {
        self.command_handles_interrupt
            .store(true, Ordering::Relaxed);
    }

    pub(crate) fn interrupt_is_left_to_command(&self) -> bool {
        self.command_handles_interrupt.load(Ordering::Relaxed)
    }

    /// The failure that Ctrl-C ends in.
    pub(crate) fn interrupted(&self) -> Failure {
        let failure = Failure::new(Kind::Interrupted, "interrupted");
        match self
            .interrupt_note
            .lock()
            .ok()
            .and_then(|note| note.clone())
        {
            Some((state, next)) => failure.cause(state).hint(next),
            None => failure,
        }
    }
}

fn write_stdout(text: &str) {
    // A reader that went away (`| head`) is no failure of ours.
    let mut stdout = anstream::stdout();
    let _ = writeln!(stdout, "{text}");
}

fn write_stderr(text: &str) {
    let mut stderr = anstream::stderr();
    let _ = writeln!(stderr, "{text}");
}
