//! SIM cards: batches that manufacturers deliver, cards that are made here, and the keys with which cards conceal who they
//! are.

use crate::args::SimsCommand;
use crate::args_sims::PersonaliseArgs;
use crate::context::Shell;
use crate::output;
use anyhow::{Context as _, ensure};
use pakawaaz_client_native::NativeClient;
use pakawaaz_client_native::profile::write_private;
use pakawaaz_contract::admin::{PersonaliseRequest, SuciKeyRecord};

/// Runs one.
pub async fn run(shell: &Shell, client: &NativeClient, command: SimsCommand) -> anyhow::Result<()> {
    match command {
        SimsCommand::Import { file } => {
            let csv = zeroize::Zeroizing::new(std::fs::read(&file).context("the batch file cannot be read")?);
            let done = client.import_sims(&csv).await?;
            shell
                .out
                .show(&done, |d| vec![format!("{} SIMs imported. Destroy the file: it holds their keys.", d.imported)]);
        }
        SimsCommand::List => {
            let list = client.sims().await?;
            shell.out.show(&list, |list| {
                let rows: Vec<Vec<String>> = list
                    .sims
                    .iter()
                    .map(|s| {
                        let official = s.official.map_or_else(String::new, |o| o.to_string());
                        let [iccid, imsi, algorithm] = [&s.iccid, &s.imsi, &s.algorithm].map(Clone::clone);
                        vec![s.sim.to_string(), iccid, imsi, algorithm, s.status.clone(), official]
                    })
                    .collect();
                output::table(&["SIM", "ICCID", "IMSI", "ALGORITHM", "STATUS", "OFFICIAL"], &rows)
            });
        }
        SimsCommand::Received { batch } => {
            received(client, &batch).await?;
            shell.out.show(&serde_json::json!({ "received": batch }), |_| {
                vec![format!("The server keeps no copy of the files of {batch} any more.")]
            });
        }
        SimsCommand::Personalise(range) => personalise(shell, client, range).await?,
        SimsCommand::SuciKeys => {
            let list = client.suci_keys().await?;
            shell.out.show(&list, |list| {
                let rows: Vec<Vec<String>> = list.keys.iter().map(suci_key).collect();
                output::table(&["KEY", "PROFILE", "STATUS", "PUBLIC KEY"], &rows)
            });
        }
        SimsCommand::NewSuciKey { scheme } => {
            let key = client.make_suci_key(&scheme).await?;
            shell.out.show(&key, |key| output::table(&["KEY", "PROFILE", "STATUS", "PUBLIC KEY"], &[suci_key(key)]));
        }
        SimsCommand::RetireSuciKey { number } => {
            client.retire_suci_key(number).await?;
            shell.out.show(&serde_json::json!({ "retired": number }), |_| {
                vec![format!("New cards do not get key {number} any more. Cards that have it keep working.")]
            });
        }
    }
    Ok(())
}

fn suci_key(key: &SuciKeyRecord) -> Vec<String> {
    let status = if key.retired_at.is_some() { "retired" } else { "in use" };
    let public: String = key.public.iter().map(|byte| format!("{byte:02x}")).collect();
    vec![key.number.to_string(), key.scheme.to_uppercase(), status.to_owned(), public]
}

async fn received(client: &NativeClient, batch: &str) -> anyhow::Result<()> {
    // It goes into a path.
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    ensure!(!batch.starts_with('.') && batch.chars().all(plain), "a batch has another kind of name");
    client.sims_received(batch).await?;
    Ok(())
}

/// Makes cards and writes the files for whoever makes them. The server keeps them too until they are on this disk: whatever
/// breaks before that, the same command gets them again.
async fn personalise(shell: &Shell, client: &NativeClient, args: PersonaliseArgs) -> anyhow::Result<()> {
    let folder = args.out;
    let taken = folder.exists() && !std::fs::read_dir(&folder).is_ok_and(|mut inside| inside.next().is_none());
    ensure!(!taken, "{} is there already; the files go into a new or empty folder", folder.display());
    std::fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    let request = PersonaliseRequest {
        batch: args.batch,
        count: args.count,
        first_iccid: args.first_iccid,
        first_imsi: args.first_imsi,
        algorithm: args.algorithm,
        form: args.form,
        transport: args.transport,
        suci_key: args.suci_key,
        routing_indicator: args.routing_indicator,
        mnc_digits: args.mnc_digits,
    };
    let made = match client.personalise_sims(&request).await {
        Ok(made) => made,
        Err(error) => {
            // Empty: nothing came.
            let _ = std::fs::remove_dir(&folder);
            return Err(error.into());
        }
    };
    for file in &made.files {
        // The server names them; nothing of it may lead out of the folder.
        let plain = !file.name.contains(['/', '\\']) && !file.name.starts_with('.');
        ensure!(plain, "the server gave a file a name that is none");
        let path = folder.join(&file.name);
        write_private(&path, file.text.as_bytes()).with_context(|| format!("writing {}", path.display()))?;
    }
    received(client, &request.batch).await.with_context(|| {
        format!("the files are written, but the server was not told: pakawaaz admin sims received {}", request.batch)
    })?;
    let names: Vec<_> = made.files.iter().map(|file| folder.join(&file.name).display().to_string()).collect();
    let shown = serde_json::json!({ "imported": made.imported, "check_values": made.check_values, "files": names });
    shell.out.show(&shown, |_| {
        let mut lines = vec![
            format!("{} cards, known to the server from now on.", made.imported),
            format!("Transport key check value: {}.", made.check_values.join(", ")),
        ];
        lines.extend(names.iter().map(|name| format!("Written: {name}")));
        lines.push("Keep the files until the cards are made: the server has them no more.".to_owned());
        lines
    });
    Ok(())
}
