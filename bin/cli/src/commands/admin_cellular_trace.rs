//! Traces of single phones.

use super::people::time;
use crate::args_cellular::TraceArgs;
use crate::context::Shell;
use crate::output;
use anyhow::{Context as _, bail};
use pakawaaz_client_native::NativeClient;
use pakawaaz_contract::cellular::{CellularTraceReadRequest, CellularTraceRequest};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

pub async fn run(shell: &Shell, client: &NativeClient, imsi: Option<String>, what: TraceArgs) -> anyhow::Result<()> {
    let Some(imsi) = imsi else { return list(shell, client).await };
    match what {
        TraceArgs { on: true, .. } => {
            let state = client.start_cellular_trace(&CellularTraceRequest { imsi }).await?;
            shell.out.show(&state, |state| vec![format!("Traced until {} at the latest.", time(state.until))]);
        }
        TraceArgs { off: true, .. } => {
            client.stop_cellular_trace(&CellularTraceRequest { imsi }).await?;
            shell.out.done("stopped", "Traced no more. What there is can be read for another hour.");
        }
        TraceArgs { pcap: Some(file), .. } => {
            let trace = client.cellular_trace(&CellularTraceReadRequest { imsi, capture: true }).await?;
            let capture = trace.capture.context("the server sent no capture")?;
            write(&file, &capture)?;
            let written = serde_json::json!({ "file": file.display().to_string(), "messages": trace.messages.len() });
            shell.out.show(&written, |_| vec![format!("{} messages in {}.", trace.messages.len(), file.display())]);
        }
        TraceArgs { show: true, .. } => {
            let trace = client.cellular_trace(&CellularTraceReadRequest { imsi, capture: false }).await?;
            shell.out.show(&trace, |trace| {
                let dropped = (trace.state.dropped > 0).then(|| format!("{} older ones are lost", trace.state.dropped));
                trace.ladder.lines().map(str::to_owned).chain(dropped).collect()
            });
        }
        TraceArgs { .. } => bail!("say what to do: --on, --off, --show or --pcap FILE"),
    }
    Ok(())
}

async fn list(shell: &Shell, client: &NativeClient) -> anyhow::Result<()> {
    let list = client.cellular_traces().await?;
    shell.out.show(&list, |list| {
        let rows: Vec<Vec<String>> = list
            .traces
            .iter()
            .map(|one| {
                let state = if one.on { "on" } else { "ended" };
                vec![one.imsi.clone(), state.into(), time(one.began), time(one.until), one.count.to_string()]
            })
            .collect();
        output::table(&["IMSI", "STATE", "BEGAN", "UNTIL", "MESSAGES"], &rows)
    });
    Ok(())
}

/// A new file that only its owner reads: it shows where somebody was.
fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = file.with_context(|| format!("making {}", path.display()))?;
    file.write_all(bytes).with_context(|| format!("writing {}", path.display()))
}
