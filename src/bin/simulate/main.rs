//! A lesson in a simulated headset: brings up Monado, starts `malloc-vr play` in it, and plays the learner.
//! `cargo xtask run --sim` and `cargo xtask xr` start it where Monado is.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use bevy::math::{Quat, Vec2, Vec3};
use clap::Parser;
use malloc_vr::lesson;
use malloc_vr::lesson::format::{Lesson, PanelContent};
use malloc_vr::protocol::ids::StepId;
use malloc_vr::ui::menu_place;

use follow::Follower;
use monado::{Monado, Show};
use packet::Side;
use person::Person;
use script::{Learner, Manner, on_panel};

mod follow;
mod monado;
mod packet;
mod person;
mod script;

/// Plays a lesson in a simulated headset.
#[derive(Debug, Parser)]
struct Cli {
    /// Name of a bundled lesson, or a lesson file.
    #[arg(long, default_value = "first-steps")]
    lesson: String,
    /// Make the mistakes that learners make: a wrong placement, a throw past the target, a long hesitation.
    #[arg(long)]
    mistakes: bool,
    /// Take a picture of both eyes and write it here (PNG).
    #[arg(long, value_name = "OUT.png")]
    picture: Option<PathBuf>,
    /// At which step; may be given several times, each picture then has the step in its name.
    #[arg(long, value_name = "STEP", requires = "picture")]
    at: Vec<String>,
    /// Open the menu for the picture and take this choice of it; an empty one leaves it at its first page. Nothing else
    /// is done.
    #[arg(
        long,
        value_name = "CHOICE",
        requires = "picture",
        conflicts_with = "at"
    )]
    menu: Option<String>,
    /// Run this program in the simulated headset instead of a lesson.
    #[arg(long, value_name = "PROGRAM", num_args = 1.., allow_hyphen_values = true, conflicts_with_all = ["picture", "mistakes", "menu"])]
    run: Vec<String>,
    /// How long it runs, seconds.
    #[arg(long = "for", value_name = "SECONDS", default_value_t = 20)]
    seconds: u64,
    /// Further arguments for `malloc-vr play`.
    #[arg(last = true)]
    play: Vec<String>,
}

/// Set by Ctrl-C and SIGTERM.
static STOP: AtomicBool = AtomicBool::new(false);

fn main() -> ExitCode {
    let cli = Cli::parse();
    match simulate(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn simulate(cli: &Cli) -> Result<()> {
    ctrlc::set_handler(|| STOP.store(true, Ordering::Relaxed))?;
    let show = if cli.picture.is_some() {
        Show::Window
    } else {
        Show::Nothing
    };
    println!("starting the simulated headset …");
    let monado = Monado::start(show)?;
    if cli.run.is_empty() {
        play(cli, &monado)
    } else {
        run_program(&cli.run, Duration::from_secs(cli.seconds), &monado)
    }
}

/// Runs any OpenXR program for a while.
fn run_program(program: &[String], time: Duration, monado: &Monado) -> Result<()> {
    let (name, arguments) = program.split_first().context("no program named")?;
    let mut command = Command::new(name);
    monado.dress(&mut command);
    let child = command
        .args(arguments)
        .stdin(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot start {name}"))?;
    let mut child = Ending(child);
    println!("started {name}");
    // The service makes its devices when the first client comes.
    let (stream, packet) = monado.remote()?;
    let mut person = Person::new(stream, packet)?;
    let deadline = Instant::now() + time;
    while Instant::now() < deadline && !STOP.load(Ordering::Relaxed) {
        if let Some(status) = child.0.try_wait()? {
            if status.success() {
                return Ok(());
            }
            bail!("{name} ended by itself: {status}");
        }
        person.rest(0.1)?;
    }
    Ok(())
}

fn play(cli: &Cli, monado: &Monado) -> Result<()> {
    let loaded = lesson::load(&cli.lesson)?;
    let data = tempfile::tempdir().context("no folder for the records of this play-through")?;
    let mut command = Command::new(beside("malloc-vr")?);
    monado.dress(&mut command);
    command
        .arg("play")
        .arg(&cli.lesson)
        .args(&cli.play)
        .env("MALLOC_VR_DATA_DIR", data.path())
        // The person in the headset is made up, and followed through the instructor's door.
        .env("MALLOC_VR_AGE_BAND", "adult")
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let mut child = Ending(command.spawn().context("cannot start malloc-vr")?);
    let (address, token) = introduction(&mut child.0)?;
    // The service makes its devices when the first client comes.
    let (stream, packet) = monado.remote()?;
    let mut person = Person::new(stream, packet)?;
    if cli.picture.is_some() {
        // A button that is pressed between two frames of software is not pressed at all.
        person.slow_down(if cli.menu.is_some() { 12.0 } else { 5.0 });
    }
    if let (Some(choice), Some(out)) = (&cli.menu, &cli.picture) {
        open_menu(&loaded.lesson, choice, &mut person)?;
        person.rest(3.0)?;
        return monado.picture(out);
    }
    let follower = Follower::connect(&address, &token)?;
    let manner = Manner {
        mistakes: cli.mistakes,
    };
    let mut learner = Learner::new(&loaded.lesson, person, follower, manner);
    let mut pictures = 0_usize;
    let mut wanted: Vec<StepId> = cli.at.iter().map(StepId::new).collect();
    let played = learner.play(None, &mut |step, person| {
        if STOP.load(Ordering::Relaxed) {
            bail!("stopped");
        }
        if let Some(out) = &cli.picture {
            let first = cli.at.is_empty() && pictures == 0;
            let named = wanted.iter().position(|it| it == step);
            if first || named.is_some() {
                // The table and the panel behind it; software rendering takes a few frames to show them.
                person.look_at(Vec3::new(0.0, 1.05, -1.2))?;
                person.rest(1.5)?;
                let out = match named {
                    Some(at) if cli.at.len() > 1 => with_step(out, &wanted.swap_remove(at)),
                    _ => out.clone(),
                };
                monado.picture(&out)?;
                println!("      picture: {}", out.display());
                pictures += 1;
            }
        }
        Ok(())
    })?;
    println!("the lesson is done: {} steps", played.steps);
    if cli.picture.is_some() && pictures == 0 {
        bail!(
            "no picture was taken: the lesson has no step {}",
            cli.at.join(", ")
        );
    }
    Ok(())
}

/// Opens the menu and takes one of its choices, if any.
fn open_menu(lesson: &Lesson, choice: &str, person: &mut Person) -> Result<()> {
    // The lesson has to be there first; nobody says from outside when it is drawn.
    person.rest(2.0)?;
    person.press_menu()?;
    let guide = lesson
        .panels
        .iter()
        .find(|panel| panel.content == PanelContent::Guide)
        .context("the lesson has no guide panel for a menu")?;
    let uv = if choice.is_empty() {
        Vec2::splat(0.5)
    } else {
        let place = menu_place(choice);
        place
            .with_context(|| format!("the menu has no choice \"{choice}\""))?
            .center()
    };
    let at = on_panel(guide, uv);
    person.look_at(at)?;
    if choice.is_empty() {
        return Ok(());
    }
    person.reach(Side::Right, person.head + Vec3::new(0.15, -0.3, -0.3))?;
    person.point_at(Side::Right, at)?;
    person.rest(0.5)?;
    person.pull_trigger(Side::Right)?;
    person.look_at(on_panel(guide, Vec2::splat(0.5)))?;
    // Out of the picture's middle.
    person.turn_to(Side::Right, Quat::IDENTITY)
}

/// `out.png` becomes `out-STEP.png`.
fn with_step(out: &Path, step: &StepId) -> PathBuf {
    let stem = out.file_stem().unwrap_or_default().to_string_lossy();
    out.with_file_name(format!("{stem}-{step}.png"))
}

/// Shows what the program says, and takes the instructor's address and token from it.
fn introduction(child: &mut Child) -> Result<(String, String)> {
    let output = child.stdout.take().context("malloc-vr has no output")?;
    let mut lines = BufReader::new(output).lines();
    for line in lines.by_ref() {
        let line = line?;
        println!("{line}");
        if let Some(found) = instructor(&line) {
            // Keep reading, or it would stop at a full pipe.
            std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
            return Ok(found);
        }
    }
    bail!("malloc-vr ended before the lesson began: {}", child.wait()?)
}

/// Address and token in `instructor: http://ADDRESS/ (token TOKEN)`, or with `https`.
fn instructor(line: &str) -> Option<(String, String)> {
    let (address, rest) = line
        .strip_prefix("instructor: http")?
        .trim_start_matches('s')
        .strip_prefix("://")?
        .split_once('/')?;
    let token = rest.strip_prefix(" (token ")?.strip_suffix(')')?;
    Some((address.to_owned(), token.to_owned()))
}

/// A program in the same folder as this one.
fn beside(name: &str) -> Result<PathBuf> {
    let file = std::env::current_exe()?.with_file_name(name);
    if file.is_file() {
        Ok(file)
    } else {
        bail!(
            "{} is missing; build it with `cargo build --workspace --bins`",
            file.display()
        )
    }
}

/// A child that is asked to end when dropped, and made to where it does not.
struct Ending(Child);

impl Drop for Ending {
    fn drop(&mut self) {
        let _ = Command::new("sh")
            // A shell has `kill` built in; the program is not everywhere.
            .args(["-c", "kill -TERM $0", &self.0.id().to_string()])
            .status();
        let deadline = Instant::now() + Duration::from_secs(10);
        while Instant::now() < deadline {
            if let Ok(Some(_)) = self.0.try_wait() {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_and_token_are_found() {
        let line = "instructor: http://127.0.0.1:7878/ (token abc)";
        assert_eq!(
            instructor(line),
            Some(("127.0.0.1:7878".to_owned(), "abc".to_owned()))
        );
        assert_eq!(
            instructor("instructor: https://127.0.0.1:7878/ (token abc)"),
            instructor(line)
        );
        assert_eq!(instructor("lesson: First steps"), None);
    }
}
