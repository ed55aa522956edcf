-- The children who are 12 to 23 months old on the last day of a month, and how many of them had
-- no Penta 1 by that day (zero-dose) or Penta 1 without Penta 3 (under-vaccinated).
--
-- Parameters (dates, both the first of a month):
--   :'period_start'   first day of the months asked for
--   :'period_end'     the day after their last day
-- Columns: municipality, period (YYYYMM), indicator, disaggregation, value.
-- The municipality is made comparable: no accents, capitals, any run of other characters one blank;
-- where nothing is left it is (MISSING).
--
-- Indicators, all by SEX_*: SNAP_CH12_23M, SNAP_ZERO_DOSE, SNAP_UNDER_VAX.

WITH RECURSIVE chain AS (
    SELECT person_id, merged_into_id AS root_id, 1 AS steps
    FROM registry.person WHERE merged_into_id IS NOT NULL
    UNION ALL
    SELECT c.person_id, p.merged_into_id, c.steps + 1
    FROM chain c JOIN registry.person p ON p.person_id = c.root_id
    WHERE p.merged_into_id IS NOT NULL AND c.steps < 10
), canon AS (
    SELECT DISTINCT ON (person_id) person_id, root_id FROM chain ORDER BY person_id, steps DESC
), family AS MATERIALIZED (
    SELECT root_id, array_agg(person_id) || root_id AS members FROM canon GROUP BY root_id
), month AS (
    SELECT m::date AS m0, (m + interval '1 month')::date - 1 AS last_day
    FROM generate_series(:'period_start'::date, :'period_end'::date - 1, interval '1 month') m
), child AS MATERIALIZED (
    SELECT p.person_id, p.sex, p.birth_date, p.death_date, p.municipality, coalesce(f.members, ARRAY[p.person_id]) AS members
    FROM registry.person p
    LEFT JOIN family f ON f.root_id = p.person_id
    WHERE p.birth_date > (:'period_start'::date - interval '2 years')::date - 3
      AND p.birth_date <= (:'period_end'::date - interval '1 year')::date + 3
      AND p.merged_into_id IS NULL AND NOT p.is_test AND p.voided_at IS NULL
), first_dose AS (
    SELECT c.person_id, d.p1_on, d.p3_on
    FROM child c
    CROSS JOIN LATERAL (
        SELECT min(e.administered_on) FILTER (WHERE e.dose_no = 1) AS p1_on,
               min(e.administered_on) FILTER (WHERE e.dose_no = 3) AS p3_on
        FROM imm.immunization_event e
        WHERE e.person_id = ANY (c.members) AND e.vaccine_code = 'PENTA' AND e.dose_no IN (1, 3)
          AND e.status = 'completed' AND e.deleted_at IS NULL
          AND e.administered_on - c.birth_date >= 0
          AND e.administered_on <= (e.recorded_at AT TIME ZONE 'America/St_Lucia')::date) d
), summed AS (
    SELECT c.municipality AS place, to_char(m.m0, 'YYYYMM') AS period, c.sex, count(*) AS children,
           count(*) FILTER (WHERE d.p1_on IS NULL OR d.p1_on > m.last_day) AS zero_dose,
           count(*) FILTER (WHERE d.p1_on <= m.last_day AND (d.p3_on IS NULL OR d.p3_on > m.last_day)) AS under_vax
    FROM month m
    JOIN child c ON extract(year FROM age(m.last_day, c.birth_date)) = 1
         AND c.birth_date <= m.last_day
         AND (c.death_date IS NULL OR c.death_date > m.last_day)
    JOIN first_dose d ON d.person_id = c.person_id
    GROUP BY 1, 2, 3
)
SELECT coalesce(nullif(btrim(regexp_replace(upper(translate(coalesce(s.place, ''),
           'ÀÁÂÄÇÈÉÊËÌÍÎÏÒÓÔÖÙÚÛÜàáâäçèéêëìíîïòóôöùúûü',
           'AAAACEEEEIIIIOOOOUUUUaaaaceeeeiiiioooouuuu')), '[^A-Z0-9]+', ' ', 'g')), ''), '(MISSING)') AS municipality,
       s.period, x.indicator, 'SEX_' || s.sex AS disaggregation, sum(x.n)::bigint AS value
FROM summed s
CROSS JOIN LATERAL (VALUES ('SNAP_CH12_23M', s.children), ('SNAP_ZERO_DOSE', s.zero_dose), ('SNAP_UNDER_VAX', s.under_vax)) x(indicator, n)
GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4;
