-- The data mapping rules in force: which DHIS2 organisation unit a municipality reports to, and when.
-- They are those of the newest version published by the given moment; drafts are never used.
--
-- Parameter:
--   :'as_of'   the moment of the run (timestamptz)
-- Columns:
--   key                    a municipality as the other queries write it
--   uid                    of the organisation unit
--   valid_from, valid_to   dates, both inclusive, NULL is open
--   priority               of several rules the lowest number wins
--   exclude                true: the rows are left out on purpose (visitors, ships); there is no uid
--   rule                   a label for the report

SELECT r.source_key AS key,
       r.orgunit_uid AS uid,
       r.valid_from,
       r.valid_to,
       r.priority,
       r.action = 'exclude' AS exclude,
       'v' || r.version_no || '/rule ' || r.rule_id AS rule
FROM interop.data_mapping_rules r
WHERE r.source_kind = 'municipality'
  AND r.version_no = (SELECT max(version_no) FROM interop.mapping_ruleset
                      WHERE status = 'published' AND published_at <= :'as_of'::timestamptz)
ORDER BY r.source_key, r.valid_from, r.priority, r.rule_id;
