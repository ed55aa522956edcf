//! The one integration binary: every test runs the built program as a user runs it.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod adoption;
mod alerts;
mod backfill;
mod backfill_turns;
mod bounded;
mod breaker;
mod by_hand;
mod clocks;
mod completeness;
mod completeness_faults;
mod docs;
mod docs_files;
mod docs_formats;
mod dry_run;
mod edges;
mod examples;
mod explain;
mod explain_st_lucia;
mod failing_target;
mod faults;
mod foreign;
mod guards_st_lucia;
mod histories;
mod history;
mod history_chain;
mod hostile_queries;
mod limits;
mod mappings_together;
mod monitoring;
mod monitoring_dhis2;
mod monitoring_log;
mod monitoring_metrics;
mod moved;
mod moves;
mod older_source;
mod one_at_a_time;
mod outage;
mod outputs;
mod page;
mod pin;
mod pin_drift;
mod pipe;
mod placement;
mod plan_files;
mod plans;
mod pools;
mod preview;
mod private_files;
mod privileges;
mod program;
mod proxy;
mod readme;
mod reject_codes;
mod relay;
mod releases;
mod retries;
mod same_as_psql;
mod same_either_way;
mod seeds;
mod sentinels;
mod server_dry_run;
mod session;
mod small_site;
mod spreadsheets;
mod st_lucia;
mod st_lucia_cases;
mod st_lucia_changes;
mod st_lucia_other_months;
mod st_lucia_places;
mod st_lucia_results;
mod st_lucia_rows;
mod status;
mod stranded;
mod streams;
mod terminal;
mod tidy;
mod tls_front;
mod trust;
mod value_types;
mod wire;
mod withdrawals;
mod wrong_account;
mod wrong_documents;
mod wrong_files;
mod wrong_site;
mod wrong_source;
mod wrong_target;
