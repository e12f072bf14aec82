//! Who is believed and who is not: evidence, quorum, certificates.

mod certificates;
mod evidence;
mod mutations;
mod realm;
