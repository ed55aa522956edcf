-- The dose records of a month of typing in, by what became of them, and those that came late.
--
-- Parameters (dates, both the first of a month):
--   :'period_start'   first day of the months asked for
--   :'period_end'     the day after their last day
-- Columns: municipality, period (YYYYMM), indicator, disaggregation, value.
-- The municipality is made comparable: no accents, capitals, any run of other characters one blank;
-- where nothing is left it is (MISSING).
--
-- Indicators and their disaggregations:
--   DQ_RECORDS      DQ_ACCEPTED, or the first reason that applies for which doses_administered.sql
--                   leaves the record out: DQ_DELETED, DQ_IN_ERROR, DQ_NOT_DONE, DQ_TEST_PERSON,
--                   DQ_VOID_PERSON, DQ_NO_DATE, DQ_FUTURE_DATE, DQ_BEFORE_BIRTH, DQ_AFTER_DEATH,
--                   DQ_HISTORICAL, DQ_DUPLICATE
--   DQ_LATE_ENTRY   (empty): accepted records typed in more than 30 days after the dose

WITH RECURSIVE chain AS (
    SELECT person_id, merged_into_id AS root_id, 1 AS steps
    FROM registry.person WHERE merged_into_id IS NOT NULL
    UNION ALL
    SELECT c.person_id, p.merged_into_id, c.steps + 1
    FROM chain c JOIN registry.person p ON p.person_id = c.root_id
    WHERE p.merged_into_id IS NOT NULL AND c.steps < 10
), canon AS MATERIALIZED (
    SELECT DISTINCT ON (person_id) person_id, root_id FROM chain ORDER BY person_id, steps DESC
), kin AS (          -- all numbers of persons who have more than one
    SELECT person_id, root_id FROM canon UNION SELECT root_id, root_id FROM canon
), twin AS MATERIALIZED (   -- their countable doses
    SELECT k.root_id, x.vaccine_code, x.dose_no, x.administered_on, x.event_id
    FROM kin k
    JOIN imm.immunization_event x ON x.person_id = k.person_id
    WHERE x.status = 'completed' AND x.deleted_at IS NULL AND x.record_source <> 'historical'
      AND x.administered_on <= (x.recorded_at AT TIME ZONE 'America/St_Lucia')::date
), win AS (
    SELECT e.event_id, e.person_id, coalesce(c.root_id, e.person_id) AS root_id, e.vaccine_code, e.dose_no, e.administered_on,
           e.municipality, e.status, e.record_source, e.deleted_at,
           (e.recorded_at AT TIME ZONE 'America/St_Lucia')::date AS typed_on
    FROM imm.immunization_event e
    LEFT JOIN canon c ON c.person_id = e.person_id
    WHERE e.recorded_at >= (:'period_start'::date)::timestamp AT TIME ZONE 'America/St_Lucia'
      AND e.recorded_at <  (:'period_end'::date)::timestamp AT TIME ZONE 'America/St_Lucia'
), judged AS (
    SELECT CASE WHEN w.municipality ~ '[A-Za-z0-9]' THEN w.municipality ELSE p.municipality END AS place,
           to_char(w.typed_on, 'YYYYMM') AS period,
           CASE WHEN w.deleted_at IS NOT NULL THEN 'DQ_DELETED'
                WHEN w.status = 'entered_in_error' THEN 'DQ_IN_ERROR'
                WHEN w.status = 'not_done' THEN 'DQ_NOT_DONE'
                WHEN p.is_test THEN 'DQ_TEST_PERSON'
                WHEN p.voided_at IS NOT NULL THEN 'DQ_VOID_PERSON'
                WHEN w.administered_on IS NULL THEN 'DQ_NO_DATE'
                WHEN w.administered_on > w.typed_on THEN 'DQ_FUTURE_DATE'
                WHEN w.administered_on < p.birth_date THEN 'DQ_BEFORE_BIRTH'
                WHEN w.administered_on > p.death_date THEN 'DQ_AFTER_DEATH'
                WHEN w.record_source = 'historical' THEN 'DQ_HISTORICAL'
                WHEN EXISTS (
                    SELECT 1 FROM imm.immunization_event x
                    WHERE x.person_id = w.person_id
                      AND x.vaccine_code = w.vaccine_code AND x.dose_no = w.dose_no
                      AND x.status = 'completed' AND x.deleted_at IS NULL AND x.record_source <> 'historical'
                      AND (x.administered_on, x.event_id) < (w.administered_on, w.event_id)
                      AND x.administered_on <= (x.recorded_at AT TIME ZONE 'America/St_Lucia')::date
                      AND (p.birth_date IS NULL OR x.administered_on >= p.birth_date)
                      AND (NOT v.repeatable OR date_trunc('year', x.administered_on) = date_trunc('year', w.administered_on)))
                  OR EXISTS (
                    SELECT 1 FROM twin x
                    WHERE x.root_id = w.root_id
                      AND x.vaccine_code = w.vaccine_code AND x.dose_no = w.dose_no
                      AND (x.administered_on, x.event_id) < (w.administered_on, w.event_id)
                      AND (p.birth_date IS NULL OR x.administered_on >= p.birth_date)
                      AND (NOT v.repeatable OR date_trunc('year', x.administered_on) = date_trunc('year', w.administered_on)))
                    THEN 'DQ_DUPLICATE'
                ELSE 'DQ_ACCEPTED' END AS reason,
           w.typed_on - w.administered_on > 30 AS late
    FROM win w
    JOIN registry.person p ON p.person_id = w.root_id
    JOIN imm.vaccine v ON v.vaccine_code = w.vaccine_code
), g AS (
    SELECT place, period, reason, coalesce(late, false) AS late, count(*) AS n FROM judged GROUP BY 1, 2, 3, 4
), k AS (
    SELECT coalesce(nullif(btrim(regexp_replace(upper(translate(coalesce(place, ''),
               'ÀÁÂÄÇÈÉÊËÌÍÎÏÒÓÔÖÙÚÛÜàáâäçèéêëìíîïòóôöùúûü',
               'AAAACEEEEIIIIOOOOUUUUaaaaceeeeiiiioooouuuu')), '[^A-Z0-9]+', ' ', 'g')), ''), '(MISSING)') AS municipality,
           period, reason, late, n FROM g
)
SELECT municipality, period, 'DQ_RECORDS' AS indicator, reason AS disaggregation, sum(n)::bigint AS value FROM k GROUP BY 1, 2, 4
UNION ALL
SELECT municipality, period, 'DQ_LATE_ENTRY', '', sum(n)::bigint FROM k WHERE late AND reason = 'DQ_ACCEPTED' GROUP BY 1, 2
ORDER BY 1, 2, 3, 4;
