//! An official's own devices.

use crate::args::DevicesCommand;
use crate::commands::people::time;
use crate::commands::session::through;
use crate::context::Shell;
use crate::{output, secrets};
use anyhow::bail;
use pakawaaz_base::DeviceId;
use pakawaaz_client_native::NativeClient;
use std::io::IsTerminal as _;

/// Reason byte of a revocation by the official: lost or given up.
const REASON_OWNER: u8 = 1;

pub async fn run(shell: &Shell, command: Option<DevicesCommand>) -> anyhow::Result<()> {
    let open = shell.online().await?;
    match command.unwrap_or(DevicesCommand::List) {
        DevicesCommand::List => list(shell, &open.client).await,
        DevicesCommand::Approve { device, code } => approve(shell, &open.client, device, code).await,
        DevicesCommand::Revoke { device } => {
            open.client.revoke_device(device, REASON_OWNER).await?;
            open.client.sync_once(&mut |_| {}).await?;
            shell.out.done("device_revoked", "Revoked. Its sessions have ended; it leaves every conversation next.");
            Ok(())
        }
    }
}

async fn list(shell: &Shell, client: &NativeClient) -> anyhow::Result<()> {
    let devices = client.devices(None).await?;
    shell.out.show(&devices, |devices| {
        let rows: Vec<Vec<String>> = devices
            .iter()
            .map(|d| {
                vec![
                    d.device.to_string(),
                    d.label.clone().unwrap_or_default(),
                    format!("{:?}", d.status).to_lowercase(),
                    if d.verified { "verified" } else { "NOT VERIFIED" }.into(),
                    d.last_seen_at.map_or_else(|| "never".into(), time),
                    d.network.as_ref().map_or("", |network| through(network.agreement)).into(),
                    if d.this_device { "this device".into() } else { String::new() },
                ]
            })
            .collect();
        output::table(&["DEVICE", "LABEL", "STATUS", "EVIDENCE", "LAST SEEN", "THROUGH", ""], &rows)
    });
    Ok(())
}

async fn approve(shell: &Shell, client: &NativeClient, device: DeviceId, code: Option<String>) -> anyhow::Result<()> {
    let code = match code {
        Some(code) => code,
        None if std::io::stdin().is_terminal() => {
            let shown = client.device_code(device).await?;
            output::note(&format!("This device computed the code {shown}"));
            let typed = secrets::read(None, "Type the code that the new device shows")?;
            typed.to_string()
        }
        None => bail!("give the code shown by the new device: --code"),
    };
    client.approve_device(device, &code).await?;
    client.sync_once(&mut |_| {}).await?;
    shell.out.done("device_approved", "Approved. It is being added to your conversations.");
    Ok(())
}
