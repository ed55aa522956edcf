//! `extract`: PostgreSQL → JSON Lines.

use jiff::Timestamp;

use crate::cli::ExtractArgs;
use crate::exit::Exit;
use crate::read::{Part, SourceReader, periods};
use crate::session;

pub(super) fn extract(args: &ExtractArgs) -> anyhow::Result<Exit> {
    let as_of = periods::as_of(&args.periods, Timestamp::now());
    let (site, watch) = session::site(&args.site, periods::work(&args.periods))?;
    let mappings = site.mappings(std::slice::from_ref(&args.mapping))?;
    let Some(mapping) = mappings.first() else {
        return Ok(Exit::Ok);
    };
    let periods = periods::of_mapping(mapping, &args.periods, as_of, &site.time_zone);
    if periods.is_empty() {
        periods::ensure_any(&[&mapping.name], 1)?;
    }
    let reader = SourceReader {
        access: site.source()?,
        as_of,
    };
    let part = Part {
        mapping,
        periods: &periods,
    };
    reader.write_lines(&part, &args.output, &watch)?;
    Ok(Exit::Ok)
}
