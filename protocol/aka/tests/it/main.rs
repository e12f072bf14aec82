//! Network and card against each other through the public interface.

mod agreement;
mod entry_points;
