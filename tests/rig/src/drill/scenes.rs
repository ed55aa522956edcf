//! Mappings and rows thrown by dice, and how a registry changes from one hour to the next.

use super::dice::Dice;
use super::metadata::ELEMENTS;
use super::oracle::{Absent, Combine, Mapping, Policy, Rows, Value};

/// Places of the registry; two of them may report to one unit.
const PLACES: [&str; 4] = ["north", "north-hill", "south", "east"];

/// A place that no mapping knows.
const NOWHERE: &str = "nowhere";

/// A mapping in which every place reports somewhere.
pub fn any_mapping(dice: &mut Dice) -> Mapping {
    let mut policy = || Policy {
        absent: dice.one_of(&[Absent::Leave, Absent::Zero, Absent::Delete]),
        combine: dice.one_of(&[Combine::Sum, Combine::Max, Combine::Min]),
    };
    let policies = [policy(), policy(), policy()];
    let hill = dice.below(3);
    Mapping {
        policies,
        places: [0, hill, 1, 2]
            .into_iter()
            .zip(PLACES)
            .map(|(unit, place)| (place, unit))
            .collect(),
    }
}

/// Changes some rows of these periods: a number, a row more, a row less.
pub fn change(rows: &mut Rows, dice: &mut Dice, periods: &[String], changes: usize) {
    for _ in 0..changes {
        let (element, _) = dice.one_of(&ELEMENTS);
        let period = periods[dice.below(periods.len())].clone();
        let key = (element, dice.one_of(&PLACES), period);
        if dice.chance(25) {
            rows.remove(&key);
        } else {
            rows.insert(key, any_number(dice));
        }
    }
}

/// Spoils a row, so that the registry says less than it seems to: a place that nobody knows, no number, nothing.
pub(super) fn spoil(rows: &mut Rows, dice: &mut Dice, periods: &[String]) {
    let (element, _) = dice.one_of(&ELEMENTS);
    let period = periods[dice.below(periods.len())].clone();
    let place = dice.one_of(&PLACES);
    match dice.below(3) {
        0 => rows.insert((element, NOWHERE, period), any_number(dice)),
        1 => rows.insert((element, place, period), Value::NaN),
        _ => rows.insert((element, place, period), Value::Null),
    };
}

fn any_number(dice: &mut Dice) -> Value {
    let zero = dice.chance(15);
    Value::Number(if zero { 0 } else { dice.below(500) as i64 })
}
