-- Adverse events following immunization, by the St. Lucia day of onset. The municipality is where the
-- person lives now; merged person numbers are followed to the surviving one.
--
-- Parameters (dates, both the first of a month):
--   :'period_start'   first day of the months asked for
--   :'period_end'     the day after their last day
-- Columns: municipality, period (YYYYMM), indicator, disaggregation, value.
-- The municipality is made comparable: no accents, capitals, any run of other characters one blank;
-- where nothing is left it is (MISSING).
--
-- Indicator: AEFI_REPORTS by AEFI_SERIOUS or AEFI_NON_SERIOUS.

WITH RECURSIVE chain AS (
    SELECT person_id, merged_into_id AS root_id, 1 AS steps
    FROM registry.person WHERE merged_into_id IS NOT NULL
    UNION ALL
    SELECT c.person_id, p.merged_into_id, c.steps + 1
    FROM chain c JOIN registry.person p ON p.person_id = c.root_id
    WHERE p.merged_into_id IS NOT NULL AND c.steps < 10
), canon AS (
    SELECT DISTINCT ON (person_id) person_id, root_id FROM chain ORDER BY person_id, steps DESC
), g AS (
    SELECT p.municipality AS place, to_char(a.onset_at AT TIME ZONE 'America/St_Lucia', 'YYYYMM') AS period,
           a.is_serious, count(*) AS n
    FROM imm.aefi_report a
    LEFT JOIN canon c ON c.person_id = a.person_id
    JOIN registry.person p ON p.person_id = coalesce(c.root_id, a.person_id)
    WHERE a.onset_at >= (:'period_start'::date)::timestamp AT TIME ZONE 'America/St_Lucia'
      AND a.onset_at <  (:'period_end'::date)::timestamp AT TIME ZONE 'America/St_Lucia'
      AND a.deleted_at IS NULL AND NOT p.is_test AND p.voided_at IS NULL
    GROUP BY 1, 2, 3
)
SELECT coalesce(nullif(btrim(regexp_replace(upper(translate(coalesce(place, ''),
           'ÀÁÂÄÇÈÉÊËÌÍÎÏÒÓÔÖÙÚÛÜàáâäçèéêëìíîïòóôöùúûü',
           'AAAACEEEEIIIIOOOOUUUUaaaaceeeeiiiioooouuuu')), '[^A-Z0-9]+', ' ', 'g')), ''), '(MISSING)') AS municipality,
       period, 'AEFI_REPORTS' AS indicator,
       CASE WHEN is_serious THEN 'AEFI_SERIOUS' ELSE 'AEFI_NON_SERIOUS' END AS disaggregation, sum(n)::bigint AS value
FROM g GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4;
