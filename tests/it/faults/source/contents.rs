//! What the rows say cannot be stored, has no place, or is far less than before.

use std::fs;

use super::super::Holds::{All, NothingSent, TheRest};
use super::super::{Fault, Met};
use super::site::{limits, met, queried, site, values, wired};
use crate::bounded;
use crate::guards_st_lucia::{change, loaded};
use crate::small_site::{NUMBER, SmallSite, UNITS};
use crate::st_lucia::{BOTH, T0};
use crate::wire::Wire;

/// Elements of the value types INTEGER and INTEGER_POSITIVE, and another of numbers.
const INTEGER: &str = "NaIvsjCYa37";
const POSITIVE: &str = "M3wMVRRlXQs";
const PERCENTAGE: &str = "dY8AOO0ml7c";

pub(super) const FAULTS: [Fault; 13] = [
