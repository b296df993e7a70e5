//! Northsouth.
