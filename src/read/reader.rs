//! Reads parts of mappings in one snapshot of the source, again where a failure may pass.

use jiff::Timestamp;

use super::{results, source};
use crate::domain::{Asked, Desired, KeyMask, Period, SourceServer, Traced};
use crate::extract::Snapshot;
use crate::map::Mapper;
use crate::mapping::Mapping;
use crate::site::SourceAccess;
use crate::watchdog::Watch;

/// The source, and how its rows are read.
pub(crate) struct SourceReader {
    pub(crate) access: SourceAccess,
    /// What `:'as_of'` stands for.
    pub(crate) as_of: Timestamp,
}

/// Periods of a mapping that are read together.
pub(crate) struct Part<'p> {
    pub(crate) mapping: &'p Mapping,
    pub(crate) periods: &'p [Period],
}

/// What one snapshot of the source gave.
pub(crate) struct ReadParts {
    /// The server that answered.
    pub(crate) server: SourceServer,
    /// What else people must know of it.
    pub(crate) notes: Vec<String>,
    /// What the role may do beyond reading.
    pub(crate) excess: Vec<String>,
    /// The outcome of each part, in their order.
    pub(crate) parts: Vec<anyhow::Result<Desired>>,
}

impl SourceReader {
    /// Reads the parts in one snapshot, again if that fails in a way that may pass. A mapping whose result is not what it
    /// promises fails alone; a lost connection ends all. `mask` hides keys that no mapping knows.
    pub(crate) fn read(
        &self,
        parts: &[Part<'_>],
        mask: &KeyMask,
        watch: &Watch,
    ) -> anyhow::Result<ReadParts> {
        watch.doing("reading the source");
        let once = || self.once(parts, mask, watch);
        let failed = |read: &anyhow::Result<ReadParts>| match read {
            Err(error) => source::may_pass(error),
            Ok(read) => read
                .parts
                .iter()
                .any(|part| part.as_ref().is_err_and(source::may_pass)),
        };
        source::patiently(&self.access, watch, once, failed)
    }

    /// Reads the rows of one mapping and period as a run would, and follows those of the cells that are asked about.
    pub(crate) fn trace(
        &self,
        part: &Part<'_>,
        asked: Asked,
        mask: &KeyMask,
        watch: &Watch,
    ) -> anyhow::Result<(Desired, Traced)> {
        watch.doing("reading the source");
        let once = || {
            let mut connected = source::connect(&self.access)?;
            let mut snapshot = connected.snapshot()?;
            let mut mapper = Mapper::new(part.mapping, part.periods.to_vec());
            mapper.trace(asked);
            self.rows(&mut snapshot, part, &mut mapper)?;
            snapshot.close()?;
            let traced = mapper.traced(mask);
            Ok((mapper.finish(mask)?, traced))
        };
        let failed =
            |read: &anyhow::Result<(Desired, Traced)>| read.as_ref().is_err_and(source::may_pass);
        source::patiently(&self.access, watch, once, failed)
    }

    /// One snapshot, from connecting to closing.
    fn once(&self, parts: &[Part<'_>], mask: &KeyMask, watch: &Watch) -> anyhow::Result<ReadParts> {
        let mut source = source::connect(&self.access)?;
        let mut snapshot = source.snapshot()?;
        let mut read = Vec::new();
        for part in parts {
            watch.ensure_time()?;
            match self.desired(&mut snapshot, part, mask) {
                Err(error) if source::ends_all(&error) => return Err(error),
                desired => read.push(desired),
            }
        }
        snapshot.close()?;
        Ok(ReadParts {
            server: source.server().clone(),
            notes: source.notes(),
            excess: source.excess_rights().to_vec(),
            parts: read,
        })
    }

    fn desired(
        &self,
        snapshot: &mut Snapshot<'_>,
        part: &Part<'_>,
        mask: &KeyMask,
    ) -> anyhow::Result<Desired> {
        let mut mapper = Mapper::new(part.mapping, part.periods.to_vec());
        self.rows(snapshot, part, &mut mapper)?;
        Ok(mapper.finish(mask)?)
    }

    fn rows(
        &self,
        snapshot: &mut Snapshot<'_>,
        part: &Part<'_>,
        into: &mut Mapper<'_>,
    ) -> anyhow::Result<()> {
        results::read(snapshot, part.mapping, part.periods, self.as_of, into)
    }
}
