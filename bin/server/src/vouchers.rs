//! Shows vouchers: as a QR code and as text, and in a file for whoever automates.

use crate::files;
use crate::init::PrintedVoucher;
use anyhow::Result;
use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};
use std::io::Write;
use std::path::Path;
use zeroize::Zeroizing;

/// Prints every voucher with its QR code.
pub fn print(out: &mut dyn Write, vouchers: &[PrintedVoucher]) -> Result<()> {
    for voucher in vouchers {
        writeln!(out, "\nVoucher for {} (use it once, within 30 days, and tell nobody):\n", voucher.username)?;
        writeln!(out, "{}\n", qr(&voucher.text)?.as_str())?;
        writeln!(out, "{}\n", voucher.text.as_str())?;
        writeln!(out, "  pakawaaz enrol {}…", &voucher.text[..voucher.text.len().min(12)])?;
    }
    Ok(())
}

/// Writes one line for each: username, space, voucher. Only the owner may read it.
pub fn write(path: &Path, vouchers: &[PrintedVoucher]) -> Result<()> {
    let mut text = Zeroizing::new(String::new());
    for voucher in vouchers {
        text.push_str(&format!("{} {}\n", voucher.username, voucher.text.as_str()));
    }
    files::private_file(path, text.as_bytes())
}

/// A QR code for terminals, dark on light whatever the terminal's colours are.
fn qr(text: &str) -> Result<Zeroizing<String>> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L)?;
    Ok(Zeroizing::new(
        code.render::<Dense1x2>().dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).quiet_zone(true).build(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn voucher() -> PrintedVoucher {
        PrintedVoucher { username: "amna.khan".into(), text: Zeroizing::new(format!("PKW1.{}", "a".repeat(300))) }
    }

    #[test]
    fn text_and_picture_are_printed() {
        let mut out = Vec::new();
        print(&mut out, &[voucher()]).expect("prints");
        let text = String::from_utf8(out).expect("UTF-8");
        assert!(text.contains(voucher().text.as_str()) && text.contains('█') && text.contains("amna.khan"));
    }

    #[test]
    fn the_file_is_private_and_never_overwritten() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().expect("directory");
        let path = dir.path().join("vouchers");
        write(&path, &[voucher()]).expect("writes");
        assert_eq!(std::fs::metadata(&path).expect("file").permissions().mode() & 0o777, 0o600);
        assert!(std::fs::read_to_string(&path).expect("text").starts_with("amna.khan PKW1."));
        assert!(write(&path, &[voucher()]).is_err());
    }
}
