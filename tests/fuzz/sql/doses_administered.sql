-- Doses administered, by the month in which they were given.
--
-- Parameters (dates, both the first of a month):
--   :'period_start'   first day of the months asked for
--   :'period_end'     the day after their last day
-- Columns: municipality, period (YYYYMM), indicator, disaggregation, value.
-- The municipality is made comparable: no accents, capitals, any run of other characters one blank;
-- where nothing is left it is (MISSING).
--
-- Indicators and their disaggregations:
--   DOSES_<vaccine>_<dose>   AGE_*|SEX_*            every vaccine except Td
--   TD_DOSES_<dose>          PREG_YES or PREG_NO
--   DOSES_CHILD_ROUTINE      STRAT_*                doses of the childhood schedule by delivery strategy
--
-- A dose counts when its record is completed and not deleted, when it was given by the programme
-- or a private provider (and not copied from a card), when its date lies between birth and death
-- and not after the St. Lucia day on which it was typed in, when the person is a real one, and
-- when it is the first record of that person, vaccine and dose number. Merged person numbers are
-- one person. Of a vaccine that returns every season, the first record of a calendar year counts.

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
    SELECT e.event_id, e.person_id, coalesce(c.root_id, e.person_id) AS root_id, e.vaccine_code, e.dose_no,
           e.administered_on, e.municipality, e.strategy, e.is_pregnant
    FROM imm.immunization_event e
    LEFT JOIN canon c ON c.person_id = e.person_id
    WHERE e.administered_on >= :'period_start'::date AND e.administered_on < :'period_end'::date
      AND e.status = 'completed' AND e.deleted_at IS NULL AND e.record_source <> 'historical'
      AND e.administered_on <= (e.recorded_at AT TIME ZONE 'America/St_Lucia')::date
), sound AS (
    SELECT w.*, p.sex, p.birth_date, p.municipality AS home, v.repeatable
    FROM win w
    JOIN registry.person p ON p.person_id = w.root_id
    JOIN imm.vaccine v ON v.vaccine_code = w.vaccine_code
    WHERE NOT p.is_test AND p.voided_at IS NULL
      AND (p.birth_date IS NULL OR w.administered_on >= p.birth_date)
      AND (p.death_date IS NULL OR w.administered_on <= p.death_date)
), counted AS (
    SELECT CASE WHEN s.municipality ~ '[A-Za-z0-9]' THEN s.municipality ELSE s.home END AS place,
           to_char(s.administered_on, 'YYYYMM') AS period,
           s.vaccine_code, s.dose_no, s.sex, s.strategy, coalesce(s.is_pregnant, false) AS pregnant,
           extract(year FROM age(s.administered_on, s.birth_date))::int AS years,
           count(*) AS n
    FROM sound s
    WHERE NOT EXISTS (      -- an earlier record under the same number
        SELECT 1 FROM imm.immunization_event x
        WHERE x.person_id = s.person_id
          AND x.vaccine_code = s.vaccine_code AND x.dose_no = s.dose_no
          AND x.status = 'completed' AND x.deleted_at IS NULL AND x.record_source <> 'historical'
          AND (x.administered_on, x.event_id) < (s.administered_on, s.event_id)
          AND x.administered_on <= (x.recorded_at AT TIME ZONE 'America/St_Lucia')::date
          AND (s.birth_date IS NULL OR x.administered_on >= s.birth_date)
          AND (NOT s.repeatable OR date_trunc('year', x.administered_on) = date_trunc('year', s.administered_on)))
      AND NOT EXISTS (      -- or under another number of the same person
        SELECT 1 FROM twin x
        WHERE x.root_id = s.root_id
          AND x.vaccine_code = s.vaccine_code AND x.dose_no = s.dose_no
          AND (x.administered_on, x.event_id) < (s.administered_on, s.event_id)
          AND (s.birth_date IS NULL OR x.administered_on >= s.birth_date)
          AND (NOT s.repeatable OR date_trunc('year', x.administered_on) = date_trunc('year', s.administered_on)))
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
), grouped AS MATERIALIZED (
    SELECT coalesce(nullif(btrim(regexp_replace(upper(translate(coalesce(place, ''),
               'ÀÁÂÄÇÈÉÊËÌÍÎÏÒÓÔÖÙÚÛÜàáâäçèéêëìíîïòóôöùúûü',
               'AAAACEEEEIIIIOOOOUUUUaaaaceeeeiiiioooouuuu')), '[^A-Z0-9]+', ' ', 'g')), ''), '(MISSING)') AS municipality,
           period, vaccine_code, dose_no, sex, strategy, pregnant,
           CASE WHEN years IS NULL THEN 'AGE_UNK' WHEN years < 1 THEN 'AGE_U1' WHEN years < 2 THEN 'AGE_1Y'
                WHEN years < 5 THEN 'AGE_2_4Y' WHEN years < 10 THEN 'AGE_5_9Y' WHEN years < 20 THEN 'AGE_10_19Y'
                WHEN years < 60 THEN 'AGE_20_59Y' ELSE 'AGE_60P' END AS age_group,
           n
    FROM counted
)
SELECT municipality, period, 'DOSES_' || vaccine_code || '_' || dose_no AS indicator,
       age_group || '|SEX_' || sex AS disaggregation, sum(n)::bigint AS value
FROM grouped WHERE vaccine_code <> 'TD' GROUP BY 1, 2, 3, 4
UNION ALL
SELECT municipality, period, 'TD_DOSES_' || dose_no, CASE WHEN pregnant THEN 'PREG_YES' ELSE 'PREG_NO' END, sum(n)::bigint
FROM grouped WHERE vaccine_code = 'TD' GROUP BY 1, 2, 3, 4
UNION ALL
SELECT municipality, period, 'DOSES_CHILD_ROUTINE', 'STRAT_' || upper(strategy), sum(n)::bigint
FROM grouped WHERE vaccine_code IN ('BCG','HEPB0','PENTA','IPV','OPV','MMR','DPT','PCV','HPV') GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4;
