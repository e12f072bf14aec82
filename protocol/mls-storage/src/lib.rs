//! openmls storage provider over an in-memory change set with a compact codec; pure.
