//! GTP-U against bytes of an independent codec, and against everything else that can arrive.

mod properties;
mod vectors;
