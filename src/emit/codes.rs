//! Codes 4xx: the disk said no, or `out` is not what the registry says.
