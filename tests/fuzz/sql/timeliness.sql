-- Timeliness of the scheduled childhood doses, by the month in which they were given.
--
-- Parameters (dates, both the first of a month):
--   :'period_start'   first day of the months asked for
--   :'period_end'     the day after their last day
-- Columns: municipality, period (YYYYMM), indicator, disaggregation, value.
-- The municipality is made comparable: no accents, capitals, any run of other characters one blank;
-- where nothing is left it is (MISSING).
--
-- Indicators: TIMELY_<vaccine>_<dose> by TIM_EARLY (before the minimum age), TIM_ONTIME, TIM_LATE.
--
-- The same doses as in doses_administered.sql, as far as the birth date is known and a line of the
-- schedule was in force on the day of the dose.

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
           e.administered_on, e.municipality, i.min_age_days, i.timely_age_days
    FROM imm.immunization_event e
    JOIN imm.schedule_item i ON i.vaccine_code = e.vaccine_code AND i.dose_no = e.dose_no
         AND e.administered_on >= i.valid_from AND (i.valid_to IS NULL OR e.administered_on <= i.valid_to)
    LEFT JOIN canon c ON c.person_id = e.person_id
    WHERE e.administered_on >= :'period_start'::date AND e.administered_on < :'period_end'::date
      AND e.status = 'completed' AND e.deleted_at IS NULL AND e.record_source <> 'historical'
      AND e.administered_on <= (e.recorded_at AT TIME ZONE 'America/St_Lucia')::date
), sound AS (
    SELECT w.*, p.birth_date, p.municipality AS home
    FROM win w
    JOIN registry.person p ON p.person_id = w.root_id
    WHERE NOT p.is_test AND p.voided_at IS NULL
      AND w.administered_on >= p.birth_date
      AND (p.death_date IS NULL OR w.administered_on <= p.death_date)
), counted AS (
    SELECT CASE WHEN s.municipality ~ '[A-Za-z0-9]' THEN s.municipality ELSE s.home END AS place,
           to_char(s.administered_on, 'YYYYMM') AS period, s.vaccine_code, s.dose_no,
           CASE WHEN s.administered_on - s.birth_date < s.min_age_days THEN 'TIM_EARLY'
                WHEN s.administered_on - s.birth_date <= s.timely_age_days THEN 'TIM_ONTIME'
                ELSE 'TIM_LATE' END AS timing,
           count(*) AS n
    FROM sound s
    WHERE NOT EXISTS (
        SELECT 1 FROM imm.immunization_event x
        WHERE x.person_id = s.person_id
          AND x.vaccine_code = s.vaccine_code AND x.dose_no = s.dose_no
          AND x.status = 'completed' AND x.deleted_at IS NULL AND x.record_source <> 'historical'
          AND (x.administered_on, x.event_id) < (s.administered_on, s.event_id)
          AND x.administered_on <= (x.recorded_at AT TIME ZONE 'America/St_Lucia')::date
          AND x.administered_on >= s.birth_date)
      AND NOT EXISTS (
        SELECT 1 FROM twin x
        WHERE x.root_id = s.root_id
          AND x.vaccine_code = s.vaccine_code AND x.dose_no = s.dose_no
          AND (x.administered_on, x.event_id) < (s.administered_on, s.event_id)
          AND x.administered_on >= s.birth_date)
    GROUP BY 1, 2, 3, 4, 5
)
SELECT coalesce(nullif(btrim(regexp_replace(upper(translate(coalesce(place, ''),
           'ÀÁÂÄÇÈÉÊËÌÍÎÏÒÓÔÖÙÚÛÜàáâäçèéêëìíîïòóôöùúûü',
           'AAAACEEEEIIIIOOOOUUUUaaaaceeeeiiiioooouuuu')), '[^A-Z0-9]+', ' ', 'g')), ''), '(MISSING)') AS municipality,
       period, 'TIMELY_' || vaccine_code || '_' || dose_no AS indicator, timing AS disaggregation, sum(n)::bigint AS value
FROM counted GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4;
