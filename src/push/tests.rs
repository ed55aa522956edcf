//! The whole of push, against both dialects of the stand-in.
