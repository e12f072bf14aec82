//! What runs beside the requests: `bin/server` starts each of these once.

mod device_facts;
mod timers;

pub use device_facts::DeviceFacts;
pub use timers::run;
