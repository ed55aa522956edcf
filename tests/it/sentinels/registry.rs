//! The whole registry of St. Lucia with names in every column that can hold one, through the programme's own queries.

use rig::dhis2::Dialect;

use super::{no_file_tells_a_name, nothing_sent_tells_a_name, tells_no_name};
use crate::small_site::files_of;
use crate::st_lucia::{StLucia, T0, count};

/// A thousand names, over and over, in every column of text of the registry, in every 40th row, whether a name, a code
/// or a municipality should stand there; in every row where rules have notes.
/// The UIDs of the rules are left alone, for one wrong UID stops all.
const PLANT: &str = r"
SET session_replication_role = replica;
DO $$
DECLARE
    place record;
    fraction int;
BEGIN
    FOR place IN SELECT conrelid::regclass AS tab, conname FROM pg_constraint
                 WHERE contype IN ('c', 'f') AND connamespace IN ('ref'::regnamespace, 'registry'::regnamespace,
                     'imm'::regnamespace, 'surv'::regnamespace, 'interop'::regnamespace)
    LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', place.tab, place.conname);
    END LOOP;
    FOR place IN SELECT format('%I.%I', c.table_schema, c.table_name) AS tab, c.column_name AS col
                 FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
                 WHERE t.table_type = 'BASE TABLE' AND c.data_type = 'text' AND c.column_name <> 'orgunit_uid'
                   AND c.table_schema IN ('ref', 'registry', 'imm', 'surv', 'interop')
    LOOP
        fraction := CASE WHEN place.col IN ('note', 'orgunit_code') THEN 1 ELSE 40 END;
        EXECUTE format('WITH numbered AS (SELECT ctid AS place, row_number() OVER () AS number FROM %s)
                        UPDATE %s SET %I = ''Sentinel '' || number / %s %% 1000 || CASE WHEN number / %s >= 1000 THEN '' of '' || number ELSE '''' END
                        FROM numbered WHERE ctid = place AND number %% %s = 0',
                       place.tab, place.tab, place.col, fraction, fraction, fraction);
    END LOOP;
    UPDATE imm.immunization_event_audit SET old_row = jsonb_build_object('name', 'Sentinel ' || audit_id);
END $$;
";

/// The sample site with the names in its registry, and with no key that may be shown.
fn planted() -> StLucia {
    let site = StLucia::at(Dialect::V2_43, T0);
    site.database.execute(PLANT);
    let planted = site.database.query(
        "SELECT count(DISTINCT municipality) FROM imm.immunization_event WHERE municipality LIKE 'Sentinel%'",
    );
    let planted: usize = planted[0][0].as_deref().unwrap().parse().unwrap();
    assert!(planted >= 1_000, "{planted} municipalities are names");
    // Those that group by free text; the others would take half a minute.
    site.only(&["doses_administered", "sessions", "aefi", "vpd_cases"]);
    // The sample site shows every key, as nothing in it is anybody's.
    site.edit("mappings/epi-monthly.toml", |text| {
        let lines = text.lines().filter(|line| !line.starts_with("show-keys"));
        lines.map(|line| format!("{line}\n")).collect()
    });
    site
}

#[test]
fn names_in_every_text_column_of_the_registry_stay_there() {
    let site = planted();
    site.dhis2.watch_imports();
    let periods = ["202512"];

    let dry = site.run(
        T0,
        &periods,
        &["-m", "epi-monthly", "-n", "-vv", "--save-plan", "plan"],
    );
    let dry = dry.code(3);
    tells_no_name(&dry.stdout);
    tells_no_name(&dry.stderr);
    let run = site
        .run(T0, &periods, &["-m", "epi-monthly", "-vv"])
        .code(3);
    tells_no_name(&run.stdout);
    tells_no_name(&run.stderr);
    // They were read, and numbers were sent all the same.
    assert!(count(&run.json(), "/rows/unmapped") > 100);
    assert!(site.values().len() > 100);
    let again = site.program(&["run", "-m", "epi-monthly", "-p", "202512", "--as-of", T0]);
    tells_no_name(&again.code(3).stderr);

    let document = site.program(&[
        "extract",
        "-vv",
        "-m",
        "epi-monthly",
        "-p",
        "202503",
        "-o",
        "rows",
    ]);
    tells_no_name(&document.code(0).stderr);
    let document = site
        .program(&["map", "-vv", "rows", "-o", "document"])
        .code(0);
    tells_no_name(&document.stderr);
    std::fs::remove_file(site.folder.path().join("rows")).unwrap();
    let pushed = site.program(&[
        "push",
        "-vv",
        "document",
        "--format",
        "json",
        "-o",
        "report.json",
    ]);
    tells_no_name(&pushed.code(3).stderr);
    nothing_sent_tells_a_name(&site.dhis2);
    no_file_tells_a_name(files_of(site.folder.path()));
}
