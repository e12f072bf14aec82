//! The demo government.

mod government;

fn main() {
    let plan = government::Government::plan();
    let _ = plan.officials.len();
}
