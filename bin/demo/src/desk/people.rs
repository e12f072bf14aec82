//! Whose phone is where.

/// A username as the label of an origin: dots separate labels, so they become hyphens. `device` counts from 1.
pub fn phone_name(username: &str, device: usize) -> String {
    let name: String =
        username.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    if device <= 1 { name } else { format!("{name}-{device}") }
}

/// The origin of an official's phone.
pub fn origin(username: &str, device: usize, port: u16) -> String {
    format!("http://{}.localhost:{port}", phone_name(username, device))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_phone_has_one_label() {
        assert_eq!(origin("asma.khan", 1, 4000), "http://asma-khan.localhost:4000");
        assert_eq!(phone_name("b_c.d", 2), "b-c-d-2");
    }
}
