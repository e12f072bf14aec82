//! One file a noun. Each command opens the profile, does one thing through the client core, prints, and ends.

mod admin;
mod admin_cellular;
mod admin_cellular_radio;
mod admin_cellular_trace;
mod admin_sims;
mod chat;
mod devices;
mod enrol;
mod files;
mod messages;
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
        Command::Sessions { end } => session::sessions(&shell, end).await,
        Command::Phone => session::phone(&shell).await,
        Command::Find { query, limit } => people::find(&shell, &query, limit).await,
        Command::Conversations => chat::conversations(&shell).await,
        Command::New { officials, title } => chat::new(&shell, &officials, title.as_deref()).await,
        Command::Send { conversation, text, reply_to, mention, offline } => {
            chat::send(&shell, &conversation, text, reply_to, &mention, offline).await
        }
        Command::Edit { conversation, message, text, mention } => {
            messages::edit(&shell, &conversation, message, &text, &mention).await
        }
        Command::Delete { conversation, message } => messages::delete(&shell, &conversation, message).await,
        Command::React { conversation, message, emoji, remove } => {
            messages::react(&shell, &conversation, message, &emoji, remove).await
        }
        Command::Retry { conversation, message } => messages::retry(&shell, &conversation, message).await,
        Command::Discard { conversation, message } => messages::discard(&shell, &conversation, message).await,
        Command::MessageInfo { conversation, message } => messages::info(&shell, &conversation, message).await,
        Command::Search { text, conversation, limit } => {
            messages::search(&shell, &text, conversation.as_deref(), limit).await
        }
        Command::Leave { conversation } => messages::leave(&shell, &conversation).await,
        Command::Draft { conversation, text } => messages::draft(&shell, &conversation, text.as_deref()).await,
        Command::Read { conversation, limit, before, ids, offline } => {
            chat::read(&shell, &conversation, limit, before, ids, offline).await
        }
        Command::SendFile { conversation, path, caption } => files::send(&shell, &conversation, &path, caption).await,
        Command::GetFile { conversation, message, out, force } => {
            files::get(&shell, &conversation, &message, out.as_deref(), force).await
        }
        Command::Listen { count, seconds } => chat::listen(&shell, count, seconds).await,
        Command::Members { conversation, add, remove } => chat::members(&shell, &conversation, &add, &remove).await,
        Command::Alarms => chat::alarms(&shell).await,
        Command::Admin { command } => admin::run(&shell, command).await,
    }
}
