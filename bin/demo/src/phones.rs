//! The app: a desk that hands out phones and shows where they are, and somebody who writes to the first one.

use crate::bots::Bots;
use crate::cast::{ADMINISTRATORS, Cast};
use crate::clock::Stopwatch;
use crate::desk::{Desk, origin};
use crate::government::Government;
use crate::member::Member;
use crate::network::{Network, Radio};
use crate::output::Screen;
use crate::state::{Progress, State};
use anyhow::Result;
use pakawaaz_client::ClientError;
use std::io::IsTerminal as _;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// How often somebody looks whether the first phone can be written to.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Opens the desk and stays until the demo ends.
pub async fn serve(
    screen: &Screen,
    state: &Arc<State>,
    plan: Government,
    cast: &Cast,
    bots: &Bots,
    mut progress: Progress,
    browser: bool,
    whole: Stopwatch,
    network: Network,
    radio: &Radio,
) -> Result<()> {
    let administrators =
        (Member::open(state, ADMINISTRATORS[0].0).await?, Member::open(state, ADMINISTRATORS[1].0).await?);
    let first = plan.officials[cast.phone].clone();
    let official = {
        let found = administrators.0.client().find(&first.username, 20, None).await?;
        found.officials.into_iter().find(|o| o.username == first.username).map(|o| o.official)
    };
    let plan = Arc::new(plan);
    let (port, desk_port) = (progress.port, progress.desk_port);
    let desk = Desk::open(state, &plan, cast.phone, administrators, port, desk_port, network, radio).await?;
    progress.desk_port = desk.address.port();
    state.set_progress(&progress)?;

    let address = format!("http://{}", desk.address);
    screen.done("ready", whole.elapsed());
    screen.heading("Open your phone");
    screen.line(&format!("  1. The enrolment desk: {address}"));
    screen.line(&format!("  2. Press “Open phone” at {} and paste the card there.", first.full_name()));
    screen.line("  3. Choose a password and a PIN; then log in with password, SIM and device.");
    screen.line("  4. The Deputy Secretary writes to you; answer, send a file, find others.");
    screen.line("  5. The desk shows whose phone is on the network; “Suspend SIM” detaches it and ends the login.");
    screen.line(&format!(
        "  Each phone is an origin of its own, for example {}; open two and be two people.",
        origin(&first.username, 1, progress.port)
    ));
    screen.line("  --terminal talks here instead. Ctrl-C ends everything.");
    // For programs that drive the demo.
    screen.line(&format!("desk {address}"));
    if browser && std::io::stdout().is_terminal() {
        open_browser(&address);
    }
    let greeting = async {
        while !progress.phone_greeted {
            tokio::time::sleep(LOOK_EVERY).await;
            let Some(official) = official else { break };
            match bots.greet(official).await {
                Ok(()) => {
                    progress.phone_greeted = true;
                    state.set_progress(&progress)?;
                }
                // Not enrolled or not connected yet.
                Err(e) if e.downcast_ref::<ClientError>().is_some() => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    };
    let telling = async {
        screen.line(&format!("  ✓ {}", radio.settled().await));
        Ok::<_, anyhow::Error>(())
    };
    tokio::try_join!(greeting, telling)?;
    std::future::pending().await
}

/// Best effort: the address is printed anyway.
fn open_browser(address: &str) {
    let graphical = ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some());
    if graphical {
        let opener = Command::new("xdg-open")
            .arg(address)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        drop(opener);
    }
}
