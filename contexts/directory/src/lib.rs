//! Organisation tree, posts and their holders, officials' names; search.
