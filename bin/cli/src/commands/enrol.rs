//! `pakawaaz enrol VOUCHER`.

use crate::context::Shell;
use crate::{output, secrets};
use anyhow::{Context as _, bail};
use pakawaaz_base::Assurance;
use pakawaaz_client::EnrolOptions;
use pakawaaz_client::vault::PinCost;
use pakawaaz_client_native::{OpenProfile, ServerAddress, SimFile};
use pakawaaz_contract::identity::DeviceStatus;
use pakawaaz_login::opaque::KsfParams;
use pakawaaz_trust::{GrantKind, Voucher};
use std::io::Read as _;
use zeroize::Zeroizing;

/// Reads a voucher from the argument, or from standard input when it is `-`.
pub fn voucher(text: &str) -> anyhow::Result<Voucher> {
    if text != "-" {
        return Ok(Voucher::from_text(text)?);
    }
    let mut read = Zeroizing::new(String::new());
    std::io::stdin().take(8192).read_to_string(&mut read).context("standard input cannot be read")?;
    Ok(Voucher::from_text(&read)?)
}

pub async fn enrol(shell: &Shell, voucher_text: &str, label: String) -> anyhow::Result<()> {
    let voucher = voucher(voucher_text)?;
    let sim_path = shell.global.sim.as_deref().context("say which SIM this device uses: --sim FILE")?;
    let mut sim = SimFile::open(sim_path)?;
    let password = match voucher.kind {
        GrantKind::First | GrantKind::Recovery => {
            Some(secrets::choose(shell.global.password_file.as_deref(), "Choose a password")?)
        }
        GrantKind::Additional => None,
        GrantKind::Password => bail!("this voucher resets a password; use `pakawaaz reset-password`"),
    };
    let pin = secrets::choose(shell.global.pin_file.as_deref(), "Choose a PIN (6 or more characters)")?;
    let address = ServerAddress::parse(&voucher.url)?;
    let open = OpenProfile::create(&shell.profile_dir()?, address, voucher.ca_pin).await?;
    output::note("Making keys, proving the SIM, asking for certificates…");
    let options = EnrolOptions {
        voucher,
        pin,
        password,
        label,
        channel: open.channel_mode(),
        assurance: Assurance::SoftwareNative,
        pin_cost: PinCost::default(),
        ksf: KsfParams::default(),
    };
    match open.client.enrol(options, &mut sim).await {
        Ok(enrolled) => {
            Shell::remember_sim(open.profile.dir(), &sim)?;
            let value = serde_json::json!({
                "official": enrolled.official,
                "username": enrolled.username,
                "device": enrolled.device,
                "status": enrolled.status,
                "code": enrolled.code,
            });
            shell.out.show(&value, |_| {
                let mut lines = vec![format!("Enrolled as {} on device {}.", enrolled.username, enrolled.device)];
                if enrolled.status == DeviceStatus::Pending {
                    lines.push("This device waits for approval. On a device you already have, run:".into());
                    lines.push(format!("  pakawaaz devices approve {}", enrolled.device));
                    lines.push(format!("and compare this code: {}", enrolled.code));
                }
                lines.push("Next: pakawaaz login".into());
                lines
            });
            Ok(())
        }
        Err(error) => {
            let OpenProfile { client, profile } = open;
            drop(client); // closes the store before its file goes
            profile.discard().context("the half-made profile could not be removed")?;
            Err(error.into())
        }
    }
}
