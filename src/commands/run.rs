//! `run`: the whole pass: extract, map, plan, push, verify.

use crate::cli::RunArgs;
use crate::deliver::{self, Delivery};
use crate::exit::Exit;
use crate::pass::{self, Pass};
use crate::read::{SourceReader, periods};
use crate::session::Preparation;

pub(super) fn run(args: &RunArgs) -> anyhow::Result<Exit> {
    let mut preparation = Preparation::of(args.into(), periods::work(&args.periods))?;
    let mappings = preparation.site.mappings(&args.mappings.mappings)?;
    let source = preparation.source()?;
    let dhis2 = preparation.site.dhis2()?;
    let jobs = pass::jobs(&mappings, args, &mut preparation)?;
    preparation.take_turn()?;
    let mask = preparation.mask()?;
    let memory = preparation.memory(&dhis2)?;
    let site_scopes = match args.mappings.mappings.is_empty() {
        true => mappings.iter().map(deliver::mapping_scope).collect(),
        false => deliver::site_scopes(&preparation.site, &mut preparation.report),
    };
    let intent = pass::intent(&source, &dhis2, &jobs);
    let as_of = preparation.report.as_of;
    let mut session = preparation.begin(intent)?;
    let pass = Pass {
        source: SourceReader {
            access: source,
            as_of,
        },
        mask,
        delivery: Delivery::new(dhis2, memory, site_scopes),
        jobs,
        rest: &args.backfill,
    };
    let reports = pass.all(&mut session);
    session.conclude(reports)
}
