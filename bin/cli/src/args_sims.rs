//! Arguments of `pakawaaz admin sims personalise`.

use clap::Args;
use std::path::PathBuf;

/// What is made.
#[derive(Args, Debug)]
pub struct PersonaliseArgs {
    /// Name of the batch, also of its files.
    #[arg(long)]
    pub batch: String,
    /// How many cards, at most 10,000.
    #[arg(long)]
    pub count: u32,
    /// ICCID of the first card without its check digit (18 or 19 digits); they count up.
    #[arg(long, value_name = "DIGITS")]
    pub first_iccid: String,
    /// IMSI of the first card; they count up.
    #[arg(long, value_name = "DIGITS")]
    pub first_imsi: String,
    /// Algorithm of all cards.
    #[arg(long, value_parser = ["milenage", "tuak"], default_value = "milenage")]
    pub algorithm: String,
    /// For whom: a card bureau, or programmable cards.
    #[arg(long = "for", value_parser = ["bureau", "pysim"], default_value = "bureau")]
    pub form: String,
    /// Name of the transport key in the vault (`pakawaaz-vault transport`).
    #[arg(long, value_name = "NAME")]
    pub transport: String,
    /// Key with which the cards conceal their identity (`pakawaaz admin sims suci-keys`).
    #[arg(long, value_name = "NUMBER")]
    pub suci_key: u8,
    /// Routing indicator, 1 to 4 digits.
    #[arg(long, default_value = "0")]
    pub routing_indicator: String,
    /// Digits of the mobile network code.
    #[arg(long, default_value_t = 2)]
    pub mnc_digits: u8,
    /// Folder for the files, new or empty.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
}
