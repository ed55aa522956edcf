-- The role that pg2dhis2 connects as, and the schema of all it may read. A database administrator runs this once, on SLUHIS or, with the
-- names changed, on another registry, in one session of the database's owner who may make roles:
--
--     psql --single-transaction --set ON_ERROR_STOP=1 --file source-role.sql sluhis
--
-- It may be run again: after a new view, or to take back what somebody granted in the meantime.

-- Nobody but its owner makes tables or functions here (before PostgreSQL 15 everybody may), and nobody makes temporary ones.
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
DO $$ BEGIN
    EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
END $$;

-- The role has no password yet. Give it one with \password pg2dhis2_source, and let pg_hba.conf take it from one machine, by TLS:
--     hostssl  sluhis  pg2dhis2_source  192.0.2.7/32  scram-sha-256
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'pg2dhis2_source') THEN
        CREATE ROLE pg2dhis2_source LOGIN;
    END IF;
END $$;
ALTER ROLE pg2dhis2_source NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS NOINHERIT CONNECTION LIMIT 2;

-- What the program sets itself as well. Here it also holds for whoever else has the password.
ALTER ROLE pg2dhis2_source SET default_transaction_read_only = on;
ALTER ROLE pg2dhis2_source SET statement_timeout = '300s';
ALTER ROLE pg2dhis2_source SET idle_in_transaction_session_timeout = '60s';

-- The wall: the role reads this schema and nothing behind it. A view reads its tables with the rights of its owner, so that the role
-- needs none on them.
CREATE SCHEMA IF NOT EXISTS dhis2_export;
REVOKE ALL ON SCHEMA dhis2_export FROM PUBLIC;

-- Counts by place and month: no person, no date, no record. Write one view for each thing that DHIS2 is to know.
CREATE OR REPLACE VIEW dhis2_export.doses_by_month AS
SELECT btrim(regexp_replace(upper(municipality), '[^A-Z0-9]+', ' ', 'g')) AS municipality,
       to_char(administered_on, 'YYYYMM') AS period,
       vaccine_code AS vaccine,
       count(*) AS doses
FROM imm.immunization_event
WHERE status = 'completed' AND deleted_at IS NULL AND administered_on IS NOT NULL
GROUP BY 1, 2, 3;

CREATE OR REPLACE VIEW dhis2_export.mapping_rules AS
SELECT source_key AS key, orgunit_uid AS uid, valid_from, valid_to, priority, action = 'exclude' AS exclude
FROM interop.data_mapping_rules
WHERE version_no = (SELECT max(version_no) FROM interop.mapping_ruleset WHERE status = 'published');

GRANT USAGE ON SCHEMA dhis2_export TO pg2dhis2_source;
GRANT SELECT ON ALL TABLES IN SCHEMA dhis2_export TO pg2dhis2_source;
