//! One file a noun. Each command opens the profile, does one thing through the client core, prints, and ends.

mod admin;
mod chat;
mod devices;
mod enrol;
mod people;
mod session;

use crate::args::{Cli, Command};
use crate::context::Shell;
use crate::output::Output;

/// Runs the command line.
pub async fn run(cli: Cli) -> anyhow::Result<()> {
    let shell = Shell { out: Output::new(cli.global.json), global: cli.global };
    match cli.command {
        Command::Enrol { voucher, label } => enrol::enrol(&shell, &voucher, label).await,
        Command::Login => session::login(&shell).await,
        Command::Logout { everywhere } => session::logout(&shell, everywhere).await,
        Command::Passwd { new_password_file } => session::passwd(&shell, new_password_file.as_deref()).await,
        Command::ResetPassword { voucher } => session::reset_password(&shell, &voucher).await,
        Command::Whoami => session::whoami(&shell).await,
        Command::Devices { command } => devices::run(&shell, command).await,
        Command::Find { query, limit } => people::find(&shell, &query, limit).await,
        Command::Conversations => chat::conversations(&shell).await,
        Command::New { officials, title } => chat::new(&shell, &officials, title.as_deref()).await,
        Command::Send { conversation, text, offline } => chat::send(&shell, &conversation, text, offline).await,
        Command::Read { conversation, limit, before, offline } => {
            chat::read(&shell, &conversation, limit, before, offline).await
        }
        Command::Listen { count, seconds } => chat::listen(&shell, count, seconds).await,
        Command::Members { conversation, add, remove } => chat::members(&shell, &conversation, &add, &remove).await,
        Command::Alarms => chat::alarms(&shell).await,
        Command::Admin { command } => admin::run(&shell, command).await,
    }
}
