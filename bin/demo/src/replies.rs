//! What the demo's officials answer: short, polite, in the language they were addressed in, never the same twice in
//! a row. No intelligence; it only has to feel like a conversation.

/// What a message seems to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tone {
    Greeting,
    Thanks,
    Question,
    Statement,
}

const GREETINGS_EN: &[&str] = &[
    "Wa alaikum assalam. Good to hear from you. What can I do for you?",
    "Good day! I was about to write to you about the file.",
    "Hello. I am at my desk; go ahead.",
];
const THANKS_EN: &[&str] =
    &["Most welcome.", "Happy to help. Let me know when it has been put up.", "No trouble at all."];
const QUESTIONS_EN: &[&str] = &[
    "Let me check the file and come back to you before the end of the day.",
    "I believe so. The summary was approved yesterday; I will confirm with the Joint Secretary.",
    "Not yet. The draft is with the Deputy Secretary for vetting.",
    "Yes. I will send you the figures as soon as Budget Wing has reconciled them.",
];
const STATEMENTS_EN: &[&str] = &[
    "Noted. I will put up the draft for your approval.",
    "Understood. I am marking this to the section for action.",
    "Thank you, seen. I shall bring it to the meeting at three.",
    "Agreed. Please also inform the Establishment side.",
];
const GREETINGS_UR: &[&str] =
    &["وعلیکم السلام! فرمائیے، میں کیا خدمت کر سکتا ہوں؟", "وعلیکم السلام۔ خیریت؟ میں دفتر میں ہوں، بتائیے۔"];
const THANKS_UR: &[&str] = &["کوئی بات نہیں۔", "آپ کا بھی شکریہ۔"];
const QUESTIONS_UR: &[&str] = &[
    "فائل دیکھ کر شام تک آپ کو اطلاع دیتا ہوں۔",
    "جی ہاں، سمری کل منظور ہو گئی تھی۔",
    "ابھی نہیں، مسودہ ڈپٹی سیکرٹری صاحب کے پاس ہے۔",
];
const STATEMENTS_UR: &[&str] = &[
    "جی، نوٹ کر لیا۔ مسودہ آج ہی پیش کر دوں گا۔",
    "ٹھیک ہے، متعلقہ سیکشن کو بھیج رہا ہوں۔",
    "بہت بہتر، اجلاس میں لے آؤں گا۔",
];

/// What an official opens a conversation with.
pub const OPENING: &str = "Assalam-o-alaikum. The budget review has been moved to Thursday, 11 am. Please have the \
                           section's figures ready, and answer here if that is difficult.";

/// Whether a text is mostly in Arabic script.
pub fn is_urdu(text: &str) -> bool {
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    let arabic =
        text.chars().filter(|c| c.is_alphabetic() && matches!(c, '\u{600}'..='\u{6ff}' | '\u{750}'..='\u{77f}' | '\u{fb50}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}')).count();
    arabic * 2 > letters
}

fn tone(text: &str) -> Tone {
    let text = text.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|w| text.contains(w));
    if text.contains(['?', '؟']) {
        Tone::Question
    } else if has(&["thank", "shukria", "شکریہ"]) {
        Tone::Thanks
    } else if has(&["salam", "hello", "good morning", "good day", "السلام", "سلام"]) || text.trim() == "hi" {
        Tone::Greeting
    } else {
        Tone::Statement
    }
}

/// The answer to `text`; `turn` counts the answers this official has given, so that they rotate.
pub fn reply(text: &str, turn: usize) -> &'static str {
    let replies = match (tone(text), is_urdu(text)) {
        (Tone::Greeting, false) => GREETINGS_EN,
        (Tone::Thanks, false) => THANKS_EN,
        (Tone::Question, false) => QUESTIONS_EN,
        (Tone::Statement, false) => STATEMENTS_EN,
        (Tone::Greeting, true) => GREETINGS_UR,
        (Tone::Thanks, true) => THANKS_UR,
        (Tone::Question, true) => QUESTIONS_UR,
        (Tone::Statement, true) => STATEMENTS_UR,
    };
    replies[turn % replies.len()]
}

/// What an official says about a file that arrived and was verified.
pub fn received(name: &str, bytes: u64, sha256: &[u8; 32], urdu: bool) -> String {
    let hash: String = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
    let size = size(bytes);
    if urdu {
        format!("فائل موصول ہوئی: {name}، {size}، SHA-256 {hash}")
    } else {
        format!("received {name}, {size}, SHA-256 {hash}")
    }
}

/// What an official says about a file that could not be had; `code` is stable.
pub fn not_received(name: &str, code: &str, urdu: bool) -> String {
    if urdu {
        format!("فائل نہیں کھل سکی: {name} ({code})۔ براہِ کرم دوبارہ بھیجیے۔")
    } else {
        format!("I could not open {name} ({code}). Please send it again.")
    }
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answered_in_the_language_and_the_sense_of_the_message() {
        assert!(is_urdu(reply("السلام علیکم", 0)));
        assert!(is_urdu(reply("کیا بجٹ تیار ہے؟", 5)));
        assert!(is_urdu(reply("یہ file دیکھ لیں", 1)), "a borrowed word does not change the language");
        assert!(!is_urdu(reply("Is the budget ready?", 0)));
        assert!(!is_urdu(""));
        assert_eq!(tone("Hello! Is it ready?"), Tone::Question);
        assert_eq!(tone("Assalam-o-alaikum"), Tone::Greeting);
        assert_eq!(tone("This is the draft."), Tone::Statement);
        assert_eq!(tone("Thanks a lot"), Tone::Thanks);
    }

    #[test]
    fn a_file_is_acknowledged_with_its_size_and_hash() {
        let text = received("minutes.pdf", 20_971_520, &[0xab; 32], false);
        assert_eq!(text, format!("received minutes.pdf, 21.0 MB, SHA-256 {}", "ab".repeat(32)));
        assert!(received("روداد.pdf", 999, &[0; 32], true).contains("999 B"));
        assert!(not_received("a", "files.not_found", false).contains("files.not_found"));
    }

    #[test]
    fn never_the_same_twice_in_a_row() {
        for text in ["hello", "thanks", "when?", "done", "سلام", "شکریہ", "کب؟", "ہو گیا"] {
            for turn in 0..8 {
                assert_ne!(reply(text, turn), reply(text, turn + 1), "{text}");
            }
        }
    }
}
