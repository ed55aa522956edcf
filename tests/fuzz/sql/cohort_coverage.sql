-- Birth-cohort coverage: the children who reach 12 (24) months of age in a month, and what they had
-- received before that day. The municipality is where the child lives now.
--
-- Parameters (dates, both the first of a month):
--   :'period_start'   first day of the months asked for
--   :'period_end'     the day after their last day
-- Columns: municipality, period (YYYYMM), indicator, disaggregation, value.
-- The municipality is made comparable: no accents, capitals, any run of other characters one blank;
-- where nothing is left it is (MISSING).
--
-- Indicators, all by SEX_*:
--   COH12_CHILDREN, COH12_BCG, COH12_PENTA1, COH12_PENTA3, COH12_POLIO3
--   COH12_ZERO_DOSE   without Penta 1
--   COH12_UNDER_VAX   with Penta 1 but without Penta 3
--   COH24_CHILDREN, COH24_MMR1, COH24_MMR2
--   COH24_FIC         fully immunized: BCG, Penta 3, polio 3 and MMR 1
--
-- Doses copied from a card count here. Children who died before the day are left out. The current
-- month is provisional: it already has the children who reach the age later in the month.

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
), child AS MATERIALIZED (
    SELECT p.person_id, p.sex, p.birth_date, p.municipality, m.months,
           (p.birth_date + make_interval(months => m.months))::date AS due_on
    FROM (VALUES (12), (24)) m(months)
    CROSS JOIN LATERAL (
        SELECT q.person_id, q.sex, q.birth_date, q.death_date, q.municipality, q.is_test, q.merged_into_id, q.voided_at
        FROM registry.person q
        WHERE q.birth_date >= (:'period_start'::date - make_interval(months => m.months))::date - 3
          AND q.birth_date <  (:'period_end'::date - make_interval(months => m.months))::date + 3) p
    WHERE p.merged_into_id IS NULL AND NOT p.is_test AND p.voided_at IS NULL
      AND (p.birth_date + make_interval(months => m.months))::date >= :'period_start'::date
      AND (p.birth_date + make_interval(months => m.months))::date <  :'period_end'::date
      AND (p.death_date IS NULL OR p.death_date >= (p.birth_date + make_interval(months => m.months))::date)
), status AS (
    SELECT c.person_id, c.sex, c.municipality, c.months, c.due_on,
           coalesce(d.bcg, false) AS bcg, coalesce(d.p1, false) AS p1, coalesce(d.p3, false) AS p3,
           coalesce(d.pol3, false) AS pol3, coalesce(d.m1, false) AS m1, coalesce(d.m2, false) AS m2
    FROM child c
    LEFT JOIN family f ON f.root_id = c.person_id
    LEFT JOIN LATERAL (
        SELECT bool_or(e.vaccine_code = 'BCG') AS bcg,
               bool_or(e.vaccine_code = 'PENTA' AND e.dose_no = 1) AS p1,
               bool_or(e.vaccine_code = 'PENTA' AND e.dose_no = 3) AS p3,
               bool_or(e.vaccine_code IN ('OPV','IPV') AND e.dose_no = 3) AS pol3,
               bool_or(e.vaccine_code = 'MMR' AND e.dose_no = 1) AS m1,
               bool_or(e.vaccine_code = 'MMR' AND e.dose_no = 2) AS m2
        FROM imm.immunization_event e
        WHERE e.person_id = ANY (coalesce(f.members, ARRAY[c.person_id]))
          AND e.status = 'completed' AND e.deleted_at IS NULL
          -- written as differences so that the date index is not drawn in: the person index is the good one
          AND e.administered_on - c.birth_date >= 0 AND e.administered_on - c.due_on < 0
          AND e.administered_on <= (e.recorded_at AT TIME ZONE 'America/St_Lucia')::date) d ON true
), summed AS (
    SELECT municipality AS place, to_char(due_on, 'YYYYMM') AS period, months, sex,
           count(*) AS children,
           count(*) FILTER (WHERE bcg) AS bcg, count(*) FILTER (WHERE p1) AS penta1,
           count(*) FILTER (WHERE p3) AS penta3, count(*) FILTER (WHERE pol3) AS polio3,
           count(*) FILTER (WHERE NOT p1) AS zero_dose, count(*) FILTER (WHERE p1 AND NOT p3) AS under_vax,
           count(*) FILTER (WHERE m1) AS mmr1, count(*) FILTER (WHERE m2) AS mmr2,
           count(*) FILTER (WHERE bcg AND p3 AND pol3 AND m1) AS fic
    FROM status GROUP BY 1, 2, 3, 4
)
SELECT coalesce(nullif(btrim(regexp_replace(upper(translate(coalesce(s.place, ''),
           'ÀÁÂÄÇÈÉÊËÌÍÎÏÒÓÔÖÙÚÛÜàáâäçèéêëìíîïòóôöùúûü',
           'AAAACEEEEIIIIOOOOUUUUaaaaceeeeiiiioooouuuu')), '[^A-Z0-9]+', ' ', 'g')), ''), '(MISSING)') AS municipality,
       s.period, 'COH' || s.months || '_' || x.name AS indicator, 'SEX_' || s.sex AS disaggregation,
       sum(x.n)::bigint AS value
FROM summed s
CROSS JOIN LATERAL (VALUES
    (12, 'CHILDREN', s.children), (12, 'BCG', s.bcg), (12, 'PENTA1', s.penta1), (12, 'PENTA3', s.penta3),
    (12, 'POLIO3', s.polio3), (12, 'ZERO_DOSE', s.zero_dose), (12, 'UNDER_VAX', s.under_vax),
    (24, 'CHILDREN', s.children), (24, 'MMR1', s.mmr1), (24, 'MMR2', s.mmr2), (24, 'FIC', s.fic)) x(months, name, n)
WHERE x.months = s.months
GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4;
