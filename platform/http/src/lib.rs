//! Problem details, authentication extractor, throttling, device event hub.
