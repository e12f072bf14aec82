//! Files: one large file up and down again, and the memory that it takes on both sides.

use crate::city::{City, Device, say};
use crate::clock::Moment;
use crate::machine;
use crate::report::Report;
use anyhow::{Context as _, Result, ensure};
use pakawaaz_client::{FileError, FileSink, FileSource, NewFile, NoSpool};
use std::path::PathBuf;

/// Size of the file.
#[derive(clap::Args, Debug)]
pub struct Options {
    /// MiB.
    #[arg(long, default_value_t = 2048)]
    mib: u64,
    /// Folder for the server's data; its disk is what is measured.
    #[arg(long, value_name = "FOLDER")]
    within: Option<PathBuf>,
}

/// Bytes that follow from their place: no disk of ours takes part.
struct Made(u64);

impl FileSource for Made {
    async fn size(&self) -> Result<u64, FileError> {
        Ok(self.0)
    }
    async fn read(&self, offset: u64, length: usize) -> Result<Vec<u8>, FileError> {
        let mut bytes = Vec::with_capacity(length + 16);
        let mut state = offset.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        while bytes.len() < length {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            bytes.extend_from_slice(&state.to_le_bytes());
        }
        bytes.truncate(length);
        Ok(bytes)
    }
}

/// Counts. The client verifies every chunk and the hash of the whole before it finishes.
#[derive(Default)]
struct Count {
    bytes: u64,
    finished: bool,
}

impl FileSink for Count {
    async fn write(&mut self, _: u64, bytes: &[u8]) -> Result<(), FileError> {
        self.bytes += bytes.len() as u64;
        Ok(())
    }
    async fn finish(&mut self) -> Result<(), FileError> {
        self.finished = true;
        Ok(())
    }
    async fn discard(&mut self) {}
}

/// Runs the benchmark.
pub async fn run(options: &Options) -> Result<Report> {
    ensure!((1..=2048).contains(&options.mib), "1 to 2048 MiB");
    let city = City::build(2, options.within.as_deref()).await?;
    let [alice, bob] = &city.officials[..] else { anyhow::bail!("two officials") };
    sync(&[alice, bob]).await?;
    let group = alice.client.new_conversation(&[bob.official], None).await.context("a conversation")?;
    sync(&[alice, bob, alice]).await?;
    let (us, server) = (std::process::id(), city.server.pid()?);
    let before = (machine::resident(us)?, machine::resident(server)?);
    let size = options.mib << 20;

    say(&format!("sending {} MiB", options.mib))?;
    let new =
        NewFile { name: "load.bin".into(), media_type: "application/octet-stream".into(), size, ..NewFile::default() };
    let transfer = alice.client.begin_upload(group, new).await?;
    let start = Moment::now();
    let message = alice.client.upload(transfer, Some(&Made(size)), &NoSpool, &mut |_| {}).await.context("sending")?;
    let up = start.elapsed();
    sync(&[alice, bob]).await?;

    say("fetching it")?;
    let transfer = bob.client.begin_download(group, message).await?;
    let mut sink = Count::default();
    let start = Moment::now();
    bob.client.download(transfer, &mut sink, &mut |_| {}).await.context("fetching")?;
    let down = start.elapsed();
    ensure!(sink.finished && sink.bytes == size, "everything arrived and was verified");

    let megabytes = size as f64 / 1e6;
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let mut report = Report::new("files");
    report.add("size", "Size of the file", mib(size), "MiB");
    report.add("up", "Up: sealed, sent, durable in blob and row", megabytes / up.as_secs_f64(), "MB/s");
    report.add("down", "Down: fetched, opened, verified whole", megabytes / down.as_secs_f64(), "MB/s");
    report.add("client_before", "Client memory before", mib(before.0), "MiB");
    report.add("client_peak", "Client memory, peak", mib(machine::peak(us)?), "MiB");
    report.add("server_before", "Server memory before", mib(before.1), "MiB");
    report.add("server_peak", "Server memory, peak", mib(machine::peak(server)?), "MiB");
    report.note("One file, four chunks of 1 MiB in flight, plain HTTP on loopback, client and server on one machine.");
    report.note(
        "The client makes the bytes and counts them; only the server's disk takes part. Four clients share ours.",
    );
    machine::describe(&mut report);
    Ok(report)
}

async fn sync(devices: &[&std::rc::Rc<Device>]) -> Result<()> {
    for device in devices {
        device.sync().await.context("synchronising")?;
    }
    Ok(())
}
