//! Conversation rules shared by delivery service and client: content codec, chained log, removal and rejoin policy; pure.
