//! The modules of the program that read what others write, as a library for the targets: the program itself is a
//! binary, and stays one.
#![allow(dead_code, unused_imports)]

#[path = "../src/dhis2/mod.rs"]
mod dhis2;
#[path = "../src/domain/mod.rs"]
mod domain;
#[path = "../src/fuzz.rs"]
mod fuzz;
#[path = "../src/http/mod.rs"]
mod http;
#[path = "../src/map/mod.rs"]
mod map;
#[path = "../src/mapping/mod.rs"]
mod mapping;

pub fn sql(input: &[u8]) {
    fuzz::sql(input);
}

pub fn import_summary(input: &[u8]) {
    fuzz::import_summary(input);
}

pub fn live_values(input: &[u8]) {
    fuzz::live_values(input);
}

pub fn mapping(input: &[u8]) {
    fuzz::mapping(input);
}

pub fn lines(input: &[u8]) {
    fuzz::lines(input);
}

pub fn document(input: &[u8]) {
    fuzz::document(input);
}
